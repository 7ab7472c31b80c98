"""Hypothetical changes of the state or of a request."""
