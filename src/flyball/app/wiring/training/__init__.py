"""From rows to a registered release, and an experiment run again from its digests. Begin with `pipeline.py`."""
