"""The `hostloom` command line, with one module per noun."""
