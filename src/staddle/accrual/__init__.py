"""What a position earns: the rules in pure Python and the rates they need."""
