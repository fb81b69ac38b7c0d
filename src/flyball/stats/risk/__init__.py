"""What a model's answers cost: expected before the labels have come (`cbpe`, `direct_loss`), told once they have."""
