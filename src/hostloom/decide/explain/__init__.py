"""The texts about decisions; all other code handles explanations as data."""
