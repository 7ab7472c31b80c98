"""Deployment: the configuration that a machine gets, and whether an image suits it."""
