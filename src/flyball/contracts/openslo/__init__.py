"""OpenSLO v1, the exchange format of objectives: read, judged and written."""
