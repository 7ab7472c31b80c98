"""The only prose about decisions, and explanations as data."""
