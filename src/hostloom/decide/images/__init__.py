"""Which images of a mirror are imported."""
