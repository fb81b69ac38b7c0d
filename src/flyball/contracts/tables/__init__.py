"""A contract on a whole table: every violation, with its rule and its rows. Begin with `check.py`."""
