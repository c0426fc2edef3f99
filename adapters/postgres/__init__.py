"""PostgreSQL: the log, the tables derived from it, and the embedded server."""
