"""The loop of a live service: its controller, and what that needs to watch, learn and keep.

Begin with `controller.py`.
"""
