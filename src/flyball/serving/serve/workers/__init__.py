"""The processes of a gateway: their supervisor, its table on disk, and the wire to each worker.

Begin with `supervisor.py`, which decides; `keeper.py` starts the workers, `worker.py` is one's ear.
"""
