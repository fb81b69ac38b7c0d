"""What a rehearsal is made of, without its world: scenario, faults, rows, invariants, report. Pure."""
