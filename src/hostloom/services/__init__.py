"""The use cases: plain functions that take a unit of work, a principal and an input."""
