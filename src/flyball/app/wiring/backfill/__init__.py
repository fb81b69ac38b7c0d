"""Backfill: features, labels and counts of a span made again from a repaired table."""
