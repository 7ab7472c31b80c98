"""Changes of the world, or of a request, that are thought of, not made."""
