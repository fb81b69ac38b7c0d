"""The ledger and its outbox: on SQLite, and in memory for the simulator. Begin with `sqlite.py`."""
