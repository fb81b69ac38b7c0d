"""What another policy would have been worth, from a log of actions taken by chance. Begin with `off_policy`."""
