"""The prediction log: rows, answers and labels in panes on disk, and the questions to them.

Written by `segments.py`, one process, or `worker_panes.py`, several; begin with `files.py`, which names every file.
"""
