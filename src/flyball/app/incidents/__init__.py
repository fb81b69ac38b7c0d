"""Incidents for people: which there are, closing one, what it cost, and the draft of its postmortem."""
