"""Policies on a recorded past: the production sensor and planner, fed from a record instead of the world."""
