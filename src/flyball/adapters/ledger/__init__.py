"""The ledger and its outbox: on SQLite, on PostgreSQL, and in memory for the simulator. Begin with `sqlite.py`."""
