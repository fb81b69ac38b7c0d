"""What a sample shows, and the first files of a service written from it. Begin with `from_sample.py`."""
