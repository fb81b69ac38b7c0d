"""The clients of a drill: its own requests over real HTTP, honest ones and a bounded share of faulty ones, counted.

Faulty requests have a key range of their own (`drill-...`), so that whatever sticks to a key, an arm among them, is
theirs alone. Everything that a drill says about answers is counted here, where a client would see it.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp
import numpy as np

from flyball.app.paced import Paced
from flyball.core.drill_lease import KEYS as PREFIX

MAX_IN_FLIGHT = 300
TIMEOUT_S = 10.0
KEYS = tuple(f"{PREFIX}{number:03d}" for number in range(200))  # of the drill's own range

Row = dict[str, Any]


class Rows(Protocol):
    """Where rows come from."""

    def next(self) -> tuple[Row, Any]:
        """One row and its label; None: nobody knows it."""
        ...


class Bend:
    """What a fault does to requests: to the row, to the label, to the credentials. By itself it does nothing."""

    def request(self, row: Row, label: Any) -> tuple[Row, Any]:
        """The row as it is sent, and the label that follows it; None: none does."""
        return row, label

    def headers(self, headers: dict[str, str]) -> dict[str, str]:
        return headers


class Told:
    """What became of requests."""

    def __init__(self) -> None:
        self.sent = 0
        self.outcomes: Counter[str] = Counter()  # ok, fallback, refused, shed, failed
        self.failures: list[tuple[float, str]] = []  # when (seconds since the epoch), and what came instead
        self.labels = 0
        self.repeated = 0  # sent again, once, over a fresh connection: the one before broke without an answer


class Clients(Paced):
    """Use as a context: requests are sent inside it."""

    def __init__(
        self,
        url: str,
        service: str,
        rows: Rows,
        dice: np.random.Generator,
        *,
        rate: float,
        honest: bool,
        key: str | None,
        label_delay_s: float = 1.0,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`rate`: requests a second of all. `honest`: whether they are the service's traffic, of which a share is bent;
        else others send that, all of these are bent, and while nothing bends them they are probes. `key`: the column
        of the unit."""
        super().__init__(url, rate=rate, label_delay_s=label_delay_s, most=MAX_IN_FLIGHT, timeout_s=TIMEOUT_S)
        self.counts = {"honest": Told(), "drill": Told()}
        self.bend: Bend | None = None
        self.share, self.key = 0.0, key
        self.keys: Sequence[str] = KEYS  # of the drill's rows: those of one arm, where a fault is about that
        self._service, self._rows, self._dice = service, rows, dice
        self.honest, self._headers, self._number = honest, headers or {}, 0

    def anew(self) -> None:
        """Count from here."""
        self.counts = {"honest": Told(), "drill": Told()}

    @property
    def failures(self) -> list[float]:
        """When clients went without an answer."""
        return sorted(at for told in self.counts.values() for at, _ in told.failures)

    @property
    def repeated(self) -> int:
        """Requests that were sent again, since their connection broke."""
        return sum(told.repeated for told in self.counts.values())

    def outcome(self, name: str) -> int:
        return sum(told.outcomes[name] for told in self.counts.values())

    async def _ask(self) -> None:
        struck = self.bend is not None and (not self.honest or self._dice.random() < self.share)
        bend = self.bend if struck else None
        self._number += 1
        number = self._number
        row, label = self._rows.next()
        told, headers = self.counts["honest" if bend is None else "drill"], self._headers
        if bend is None and not self.honest:
            headers = headers | {"X-Flyball-Probe": "1"}  # only to see what clients get: in no analysis
        if bend is not None:
            (row, label), headers = bend.request(dict(row), label), bend.headers(dict(headers))
            if self.key is not None:
                row[self.key] = self.keys[number % len(self.keys)]
        told.sent += 1
        outcome, answer = await self._asked(told, f"/v1/services/{self._service}/predict", row, headers)
        told.outcomes[outcome] += 1
        if outcome == "failed":
            told.failures.append((time.time(), str(answer)))
        elif isinstance(answer, dict) and label is not None:
            self._label_later(answer["id"], label)

    async def _asked(self, told: Told, path: str, row: Row, headers: dict[str, str]) -> tuple[str, Any]:
        """As HTTP clients do: where a connection breaks without an answer, once more over a fresh one. A prediction
        changes nothing."""
        try:
            return await self._post(path, row, headers)
        except aiohttp.ClientConnectionError:
            told.repeated += 1
        try:
            return await self._post(path, row, headers | {"Connection": "close"})
        except aiohttp.ClientConnectionError as error:
            return "failed", f"{type(error).__name__}: {error}"

    async def _post(self, path: str, body: Any, headers: dict[str, str]) -> tuple[str, Any]:
        """What became of it, and the answer or what came instead. Raises: ClientConnectionError: it broke."""
        assert self._session is not None
        try:
            async with self._session.post(path, json=body, headers=headers) as response:
                if response.status == 200:
                    return _outcome(await response.json())
                shed = response.status == 429 or "Retry-After" in response.headers
                outcome = "shed" if shed else "failed" if response.status >= 500 else "refused"
                return outcome, f"status {response.status}: {(await response.text())[:200]}"
        except aiohttp.ClientConnectionError:
            raise
        except (aiohttp.ClientError, TimeoutError) as error:
            return "failed", f"{type(error).__name__}: {error}"

    async def _tell(self, labels: Sequence[dict[str, Any]]) -> bool:
        try:
            outcome, told = await self._post("/v1/labels", {"labels": labels}, self._headers)
        except aiohttp.ClientConnectionError:
            return False
        if outcome == "ok":
            self.counts["honest"].labels += told["accepted"]
        return outcome == "ok"


def _outcome(told: dict[str, Any]) -> tuple[str, Any]:
    """Of a body that came with status 200."""
    if "predictions" not in told:
        return "ok", told
    answer = told["predictions"][0]
    if "prediction" not in answer:
        return "refused", str(answer.get("error", ""))
    return ("fallback" if answer["fallback"] is not None else "ok"), answer
