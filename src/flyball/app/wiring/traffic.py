"""What reaches a service today and how often it fails: from the prediction log, from options, from what is promised."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.core.errors import Unavailable
from flyball.core.service import Service
from flyball.decide.step_plan import Traffic

TODAY_S = 86_400.0  # the last day of the log, whenever that was
SLOW_BY_PROMISE = 0.01  # of the answers: slower than a p99
SEED = 20_261_126  # of what is simulated about steps: the same plan for the same question


def dice() -> np.random.Generator:
    return np.random.default_rng(SEED)


def traffic_today(home: Home, service: Service) -> Traffic:
    """As the log has it. Raises: Unavailable: it cannot be read."""
    try:
        return traffic_of(home, service)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unavailable(f"the prediction log cannot be read: {error}") from error


def traffic_of(
    home: Home,
    service: Service,
    *,
    requests_s: float | None = None,
    errors: float | None = None,
    slow: float | None = None,
    advance: Callable[[int], None] = lambda folders: None,  # noqa: ARG005 -- nobody need watch
) -> Traffic:
    """Args: requests_s, errors, slow: as somebody says; each wins over the log. Promised: without either."""
    name = service.metadata.name
    seen = _today(home, name, advance) if home.telemetry(name).is_dir() else None
    units = seen["units"] if seen else 0
    rate, source = requests_s, "as you say"
    if rate is None and seen and seen["rows"] > 1 and seen["last"] > seen["first"]:
        rate = (seen["rows"] - 1) / (seen["last"] - seen["first"])
        source = f"{seen['rows']:,} rows of the prediction log"
    promised = 1 - service.serving.objectives.availability
    return Traffic(
        requests_s=rate,
        requests_a_unit=max(1.0, seen["champion_rows"] / units) if seen and units else 1.0,
        errors=_share(errors, seen, "errors", promised),
        slow=_share(slow, seen, "slow", SLOW_BY_PROMISE),
        label_s=service.data.label_window_s,
        source=source if rate is not None else "",
        rates_source=_told(errors, slow, seen if units else None),
    )


def _today(home: Home, service: str, advance: Callable[[int], None]) -> dict[str, Any] | None:
    """Counts of the last day of the log; units are those that the champion met, once each however often they came."""
    folder = home.telemetry(service)
    newest = tables(folder, ("predictions",))["predictions"].select(pl.col("at").max()).collect().item()
    if newest is None:
        return None
    rows = tables(folder, ("predictions",), since=newest - TODAY_S, advance=advance)["predictions"]
    rows = rows.filter(pl.col("arm").is_not_null() & ~pl.col("excluded"))
    theirs = pl.col("arm") == "champion"
    found = rows.select(
        rows=pl.len(),
        first=pl.col("at").min(),
        last=pl.col("at").max(),
        champion_rows=theirs.sum(),
        units=pl.col("unit").filter(theirs).n_unique(),
        errors=pl.col("unit").filter(theirs & pl.col("error")).n_unique(),
        slow=pl.col("unit").filter(theirs & pl.col("slow")).n_unique(),
    ).collect(engine="streaming")
    return found.row(0, named=True)


def _share(said: float | None, seen: dict[str, Any] | None, kind: str, promised: float) -> float:
    """Events a unit; half an event where none was seen, because none is known of a finite log only."""
    if said is not None:
        return said
    if not seen or not seen["units"]:
        return promised
    return float(max(0.5, seen[kind])) / float(seen["units"] + 1)


def _told(errors: float | None, slow: float | None, seen: dict[str, Any] | None) -> str:
    if errors is not None and slow is not None:
        return "as you say"
    kept = f"of {seen['units']:,} units in the prediction log" if seen else "as serving.objectives promises"
    unseen = [kind for kind, said in (("errors", errors), ("slow", slow)) if seen and said is None and not seen[kind]]
    kept += f"; {' and '.join(unseen)}: none was seen, half of one is counted" if unseen else ""
    return kept if errors is None and slow is None else f"{kept}, one as you say"
