"""Durable actions over ports only: tables of steps with their undo, and the worker that runs them."""
