"""What a home keeps: releases, snapshots, experiments, drafts, origins; and the sweep that deletes from it.

Begin with `releases.py`; the sweep is `collecting.py`.
"""
