"""X12: interchanges read as bytes, and what an 835 transaction means."""
