"""The demo: one service through its whole life in two minutes, and a report of only what was seen."""
