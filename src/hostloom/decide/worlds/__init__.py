"""World files: read, dumped, and held against what their cases expect."""
