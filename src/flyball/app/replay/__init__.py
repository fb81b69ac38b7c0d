"""Was the governed service better than leaving the first model alone, and at what cost?"""
