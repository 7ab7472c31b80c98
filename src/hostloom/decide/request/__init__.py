"""Reads a request: constraint text, storage text, and the names in them."""
