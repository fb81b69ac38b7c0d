"""What would this policy have done on the recorded past? Policies, truth, what follows, and how it is told. Pure."""
