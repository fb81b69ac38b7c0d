"""What another policy would have been worth, from a log of actions that were taken by chance."""
