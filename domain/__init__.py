"""What may happen and what happened, as pure functions and immutable facts. Imports nothing of ours."""
