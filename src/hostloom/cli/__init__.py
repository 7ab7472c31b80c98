"""The `hostloom` command line, one module a noun."""
