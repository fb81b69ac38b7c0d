"""`flyball serve` and `flyball up`: a gateway of one process, or a supervisor and its workers.

Begin with `run.py`, then `gateway.py` or `supervised.py`.
"""
