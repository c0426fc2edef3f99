"""Sample remittances: a model of the 835, a writer for it, a seeded generator, and the shipped sample set."""
