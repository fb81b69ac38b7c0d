"""Process: a rehearsal. The real planner, judge, gateway core and monitor; clock, models and people are simulated."""
