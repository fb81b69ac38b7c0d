"""One service in one process: its releases asked, its rows captured, its shadow shown. Begin with `served.py`."""
