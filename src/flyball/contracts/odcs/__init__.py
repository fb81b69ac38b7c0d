"""From an ODCS v3 text to something that can be executed, section by section. Begin with `document.py`."""
