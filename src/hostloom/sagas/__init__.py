"""Durable actions over ports: tables of steps with their undo, and the worker that runs them."""
