"""What inbound messages mean, one module a message kind, and the loop that polls for them."""
