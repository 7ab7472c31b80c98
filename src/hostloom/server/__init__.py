"""The server process: settings, wiring of the adapters, threads and files."""
