"""Drills: a real fault on purpose, on a bounded share of traffic, and what was seen of it."""
