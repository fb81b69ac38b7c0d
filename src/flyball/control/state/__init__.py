"""Where a service stands: the fold over its facts, and the only memory of the loop."""
