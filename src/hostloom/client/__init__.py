"""Typed HTTP client of API v1."""
