"""The process itself: settings, wiring of the adapters, its threads and its own files."""
