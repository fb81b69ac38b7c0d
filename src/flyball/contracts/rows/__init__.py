"""A contract on single rows and values, as a gateway asks it. Begin with `promises.py`, which tables share."""
