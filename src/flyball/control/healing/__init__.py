"""Remedies against what makes a service unwell: which, when, whether it helped, and when it is taken away again.

Begin with `planning.py`.
"""
