"""The ledger's own JSON messages: what all kinds of them have in common. docs/messages.md."""
