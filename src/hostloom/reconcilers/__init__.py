"""Repeated work that brings the world and the records together; a failed run is repeated later."""
