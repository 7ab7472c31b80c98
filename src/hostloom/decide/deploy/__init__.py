"""Deploying: what a machine is given to configure itself with, and whether an image suits it."""
