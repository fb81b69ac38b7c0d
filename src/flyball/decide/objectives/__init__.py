"""Error budgets: how fast they burn, what is left of them, and what is told of that."""
