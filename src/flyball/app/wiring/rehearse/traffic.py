"""Requests: each alone while somebody is on trial, else counted, with some of them sent as a sample."""

from typing import Any, Final

import numpy as np

from flyball.adapters.prediction_log.memory_telemetry import MemoryTelemetry
from flyball.app.rehearse.faults import BURST, POISONED
from flyball.app.rehearse.report import Fingerprint
from flyball.app.rehearse.rows import RowLaw
from flyball.app.wiring.rehearse.gateway import GatewayProcess
from flyball.app.wiring.rehearse.labels import LabelSupply
from flyball.app.wiring.rehearse.models import Weather

LOGGED_S: Final = 30.0  # of a quiet stretch: one row is written out each so many seconds, whatever the traffic
POOL: Final = 256  # rows that are drawn at once
SEAL_S: Final = 300.0  # a pane of the log while each request comes alone
WATCHED_SEAL_S: Final = 30.0  # while a remedy has to show that it helps
QUIET_SEAL_S: Final = 3600.0
PANE_ROWS: Final = 1000  # at most


class Traffic:
    """All clients."""

    def __init__(
        self,
        law: RowLaw,
        gateway: GatewayProcess,
        telemetry: MemoryTelemetry,
        labels: LabelSupply,
        fingerprint: Fingerprint,
        *,
        weather: Weather,
        rows: np.random.Generator,
        arrivals: np.random.Generator,
        rps: float,
    ) -> None:
        """`rows`, `arrivals`: their dice."""
        self._law, self._gateway, self._telemetry, self._labels = law, gateway, telemetry, labels
        self._fingerprint, self._weather, self._rows, self._arrivals, self._rps = (
            fingerprint,
            weather,
            rows,
            arrivals,
            rps,
        )
        self._pool: list[dict[str, Any]] = []
        self._sealed_s = 0.0
        self.requests = 0
        self.unanswered = 0  # because no gateway was there, or none had a table

    def moved(self) -> None:
        """The features are distributed otherwise from now on."""
        self._pool = []

    def come(
        self,
        seconds: float,
        now_s: float,
        wall: float,
        *,
        alone: bool,
        kinds: frozenset[str],
        watched: bool = False,
    ) -> None:
        """What arrives within so many seconds from now on. Args: kinds: faults that hold, of `traffic` and `data`.
        watched: a remedy is under way."""
        arriving = int(self._arrivals.poisson(self._rps * seconds * (BURST if "burst" in kinds else 1.0)))
        sent = arriving if alone else min(arriving, max(1, round(seconds / LOGGED_S)))
        offsets = np.sort(self._arrivals.random(sent) * seconds).tolist()
        rows = self._take(sent, poisoned="poisoned" in kinds)
        if alone:
            for row, offset in zip(rows, offsets, strict=True):
                self._send([row], [wall + offset], now_s + offset)
        elif rows:
            self._send(rows, [wall + offset for offset in offsets], now_s)
        self._count(arriving - sent)
        self._seal(now_s + seconds, WATCHED_SEAL_S if watched else SEAL_S if alone else QUIET_SEAL_S)

    def _seal(self, now_s: float, pane_s: float) -> None:
        if now_s - self._sealed_s >= pane_s:
            self._telemetry.seal()
            self._sealed_s = now_s

    def _send(self, rows: list[dict[str, Any]], at: list[float], now_s: float) -> None:
        self.requests += len(rows)
        answered = self._gateway.answer(rows, at, f"r{self.requests}")
        if answered is None:
            self.unanswered += len(rows)
            return
        records, shadows = answered
        self._fingerprint.answers(records)
        core = self._gateway.core
        assert core is not None
        core.accounting.received(len(records))
        if self._gateway.disk.full:
            core.accounting.dropped(len(records))
            return
        self._telemetry.add(records, shadows)
        core.accounting.written(len(records))
        self._labels.expect(rows, records, now_s, at[-1])

    def _count(self, rows: int) -> None:
        """Rows of which only the number is known."""
        self.requests += rows
        core = self._gateway.core
        if core is None or core.routing is None:
            self.unanswered += rows
            return
        core.accounting.received(rows)
        if self._gateway.disk.full:
            core.accounting.dropped(rows)
        else:
            core.accounting.written(rows)

    def _take(self, n: int, *, poisoned: bool) -> list[dict[str, Any]]:
        while len(self._pool) < n:
            self._pool += self._law.rows(self._rows, POOL, self._weather.shifts)
        taken, self._pool = self._pool[:n], self._pool[n:]
        needed = self._law.needed
        if not poisoned or needed is None:
            return taken
        lots = self._rows.random(n).tolist()
        return [
            {name: value for name, value in row.items() if name != needed} if lot < POISONED else row
            for row, lot in zip(taken, lots, strict=True)
        ]
