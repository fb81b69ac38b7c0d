"""Window reports as the monitor would write them: material for the tests of `decide`."""

from collections.abc import Mapping, Sequence
from typing import Literal

from flyball.core.release import Estimate
from flyball.core.service import Data, Experiment, LiveMetric, Metadata, Monitor, Psi, Retrain, Service
from flyball.core.watching import QualityFinding, Signal, SignalKind, WindowReport

ROWS = 1000
START = 1_790_000_000.0  # seconds since the epoch; a row a second from then on
MONITOR = Monitor(psi=Psi(warn=0.10, act=0.25, consecutive=3), live_metric=LiveMetric(name="accuracy", max_loss=0.05))
SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="s", owner="o"),
    data=Data(contract="c", source="s", label="y"),
    experiment=Experiment(task="binary", metric="accuracy"),
    monitor=MONITOR,
    retrain=Retrain(cooldown_s=5000),
)


def signal(
    kind: SignalKind,
    index: int,
    value: float,
    *,
    feature: str | None = None,
    level: Literal["warn", "act"] = "act",
    consecutive: int = 1,
) -> Signal:
    return Signal(
        signal=kind,
        level=level,
        value=value,
        limit=0.25,
        release="r",
        window=index,
        first_row=index * ROWS,
        last_row=index * ROWS + ROWS - 1,
        feature=feature,
        consecutive=consecutive,
    )


def report(
    index: int,
    *,
    psi: Mapping[str, float] | None = None,
    streak: int = 1,
    loss: tuple[float, float] | None = None,
    quality: Sequence[QualityFinding] = (),
    versus_last: Mapping[str, float] | None = None,
) -> WindowReport:
    """Window number `index`: psi above 0.10 and a loss above 0.025 come with their signals. loss: (value, low)."""
    moved = {name: value for name, value in (psi or {}).items() if value > 0.10}
    signals = [
        signal("psi", index, value, feature=name, level="act" if value > 0.25 else "warn", consecutive=streak)
        for name, value in moved.items()
    ]
    if loss is not None and loss[0] > 0.025 and loss[1] > 0:
        signals.append(signal("risk", index, loss[0], level="act" if loss[0] > 0.05 else "warn"))
    signals += [signal("quality", index, found.value, feature=found.feature) for found in quality]
    return WindowReport(
        index=index,
        release="r",
        first_row=index * ROWS,
        last_row=index * ROWS + ROWS - 1,
        rows=ROWS,
        start=START + index * ROWS,
        end=START + (index + 1) * ROWS,
        psi={"a": 0.01, "b": 0.01} | dict(psi or {}),
        versus_last=dict(versus_last or {}),
        quality=tuple(quality),
        signals=tuple(signals),
        metric=Estimate(value=0.9 - loss[0], low=0.0, high=1.0, n=ROWS) if loss else None,
        loss=Estimate(value=loss[0], low=loss[1], high=1.0, n=ROWS, confidence=0.9) if loss else None,
        metric_rows=(index * ROWS, index * ROWS + ROWS - 1) if loss else None,
    )
