"""What a plan must never do, asked by code that shares nothing with the planner."""
