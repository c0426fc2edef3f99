"""`scripts/ledger`."""
