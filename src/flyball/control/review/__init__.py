"""What a service's facts say of its own running: scorecard, toil, digests, readiness and maturity. Pure folds."""
