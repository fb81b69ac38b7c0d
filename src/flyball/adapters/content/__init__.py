"""Files that are what their name says: stored by digest, hashed, signed. Begin with `blobs.py`."""
