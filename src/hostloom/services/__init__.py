"""The use cases: plain functions (unit of work, principal, input) to model."""
