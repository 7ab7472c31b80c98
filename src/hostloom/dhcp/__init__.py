"""The Kea adapter: intent to JSON, and the control socket."""
