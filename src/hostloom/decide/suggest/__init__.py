"""Finds the smallest change that makes a refused request fit, by trying changes."""
