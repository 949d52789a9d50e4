"""HTML that every kind of page shares: layout, components, formats, languages, the front end. It knows no staking."""
