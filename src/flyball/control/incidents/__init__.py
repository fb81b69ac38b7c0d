"""Incidents: one for each cause, opened and closed by what the facts of health say, and what people make of them."""
