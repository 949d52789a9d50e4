"""What every page does around its one act, for the customers' pages and the operators': declare, read, show, go on."""
