"""What follows from what happened: read models that can be thrown away and made again."""
