"""Two versions of a contract: every difference, whom it breaks, and the version to take. Begin with `compared.py`."""
