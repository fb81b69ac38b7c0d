"""What the world outside is told about facts: one file a vocabulary, each pure in a fact and what was known."""
