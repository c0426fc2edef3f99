"""The one way to write: load, decide, append, a batch in one transaction."""
