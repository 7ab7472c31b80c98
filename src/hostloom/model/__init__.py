"""The nouns: frozen dataclasses, enums and errors; nothing but the standard library."""
