"""What a model's answers cost: the loss of a row, expected before its label has come and told once it has."""
