"""Children of ours, and what runs in them: an arm, a fresh load, the training server. Begin with `children.py`."""
