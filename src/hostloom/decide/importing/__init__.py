"""Import: what becomes here of all that another system managed."""
