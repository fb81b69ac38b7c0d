"""Flyball: the governor for machine learning in production. Read the folders top to bottom: that is the loop."""
