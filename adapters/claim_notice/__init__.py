"""The ledger's own JSON message: what a payer says of one claim outside a remittance. docs/messages.md."""
