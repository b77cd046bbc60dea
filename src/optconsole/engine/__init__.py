"""Everything that trades. Imports no user interface and no broker."""
