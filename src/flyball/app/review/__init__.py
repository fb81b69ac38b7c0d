"""Scorecards, readiness, maturity and digests as people read them."""
