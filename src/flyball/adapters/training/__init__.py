"""Where a training runs, within which walls, with what installed, and what it leaves. Begin with `trainer.py`."""
