"""The edges: each third-party system or format is spoken to in one place."""
