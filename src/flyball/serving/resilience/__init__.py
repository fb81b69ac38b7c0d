"""What happens when there is too much work, a sick release or a bad value: limits, breakers, filters. Pure."""
