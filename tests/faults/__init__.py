"""Faults of the environment, with a real broker and a real database, from a seed: docs/reliability.md."""
