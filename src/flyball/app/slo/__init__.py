"""Objectives at the doors: where their budgets stand, and what other tools are told of them."""
