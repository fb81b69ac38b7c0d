"""Which captured snapshots hold the row of one answer: what has been learned from it."""

import polars as pl

from flyball.app.home import Home
from flyball.pipeline.split import ROW
from flyball.registry.hexes import digits
from flyball.registry.releases import Registry


def learned_from(home: Home, registry: Registry, row: int) -> tuple[str, ...]:
    """Roots of the snapshots, oldest first. One whose bytes are no longer here cannot say, and is not among them.

    Args: row: place in the log of the service, from 0. Captured rows count on from the first release's snapshot (0008).
    """
    if not registry.terms:
        return ()
    first = registry.snapshots[registry.releases[registry.terms[0].release].release.snapshot]
    position = first.rows + 1 + row
    return tuple(
        root
        for root, snapshot in registry.snapshots.items()
        if snapshot.source == "captured"
        and snapshot.first_row <= position <= snapshot.last_row
        and _holds(home, root, position)
    )


def _holds(home: Home, root: str, position: int) -> bool:
    paths = sorted((home.snapshots / digits(root)).glob("*.parquet"))
    tables = [pl.scan_parquet(path) for path in paths]
    if not tables or ROW not in tables[0].collect_schema().names():
        return False
    return bool(pl.concat(tables).select((pl.col(ROW) == position).any()).collect().item())
