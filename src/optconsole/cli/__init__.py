"""The command line: one module per noun, loaded only when it is the one that was typed."""
