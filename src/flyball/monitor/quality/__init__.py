"""Signs of a broken supply, one concept a file: what is read from counts, units, types, rows, labels, volume, time.

A *finding* is what the world does not do by itself; it opens an incident. A *sign* is told and acts on nothing.
"""

from flyball.monitor.quality.labels import LabelRatio, label_ratio
from flyball.monitor.quality.of_counts import findings, mixed_columns, varies
from flyball.monitor.quality.rows import RowSigns, duplicated, out_of_range
from flyball.monitor.quality.signs import Sign, availability, freshness, volume
from flyball.monitor.quality.types import type_changed, unreadable
from flyball.monitor.quality.units import unit_changed

__all__ = [
    "LabelRatio",
    "RowSigns",
    "Sign",
    "availability",
    "duplicated",
    "findings",
    "freshness",
    "label_ratio",
    "mixed_columns",
    "out_of_range",
    "type_changed",
    "unit_changed",
    "unreadable",
    "varies",
    "volume",
]
