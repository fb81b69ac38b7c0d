"""What a controller has learned from the log, kept now and then: the one after it reads on instead of reading again.

Theory of operation. Sensor and monitor are a fold over the sealed panes, so a checkpoint is no source of anything: it
is the fold up to some pane. It is taken over only where the fold would be the same: the same `key` (declaration, data
contract, the code and the libraries that fold), and the very pane it ends with still in the log. Else everything is fed
again, as if there were none. It is read before the first look and saved after a look, so a crash anywhere leaves the
one before, or the new one.

The memory is a pickle: the store vouches that nobody but this home wrote it (`core.ports.Checkpoints`).
"""

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from flyball.control.reconcile.outlook import Seen
from flyball.control.reconcile.sensing import TelemetrySensor
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import Unavailable
from flyball.core.ports import Checkpoints, Telemetry
from flyball.core.record import Record
from flyball.core.watching import Pane

EVERY_PANES: Final = 60  # ten minutes of panes of ten seconds; saving costs some 80 ms for 10,000 rows held


class Recallable(Protocol):
    """A part of the fold."""

    handed_in: tuple[Any, ...]  # objects that are not kept: another process has its own, in the same order

    def memory(self) -> dict[str, Any]: ...

    def recall(self, memory: dict[str, Any]) -> None: ...


class Checkpoint(Record):
    """One, as it is saved."""

    key: str  # of what folds
    pane: Pane  # the newest that was fed
    memory: bytes  # of the parts, by name


class CheckpointedSensor:
    """`Sensor` around a telemetry sensor."""

    def __init__(
        self,
        sensor: TelemetrySensor,
        telemetry: Telemetry,
        store: Checkpoints,
        *,
        key: str,
        beside: Mapping[str, Recallable],
        every_panes: int = EVERY_PANES,
        covered: Callable[[int], bool] = lambda index: True,  # noqa: ARG005 -- nothing else reads the log
        complain: Callable[[str], None] = lambda words: None,  # noqa: ARG005 -- told of nothing else either
    ) -> None:
        """`beside`: the monitor, and whoever else is fed by the sensor. `covered`: whether all that reads the log on
        its way has kept what it saw up to a pane."""
        self.sensor, self._telemetry, self._store, self._key = sensor, telemetry, store, key
        self._parts: dict[str, Recallable] = {"sensor": sensor, **beside}
        self._every, self._covered, self._complain = every_panes, covered, complain
        self._begun = False
        self._saved = 0  # panes that had been fed then

    def look(self, state: ServiceState, now: str, *, dropped: int | None = None) -> Seen:
        if not self._begun:
            self._go_on(state.service)
            self._begun = True
        seen = self.sensor.look(state, now, dropped=dropped)
        if self.sensor.fed - self._saved >= self._every:
            self.save()
        return seen

    def save(self) -> None:
        """That it cannot be saved is told; the next look behind as many panes tries again."""
        self._saved, pane = self.sensor.fed, self.sensor.pane
        if pane is None:
            return
        memory = _kept({name: part.memory() for name, part in self._parts.items()}, self._handed_in)
        try:
            self._store.save(msgspec.msgpack.encode(Checkpoint(key=self._key, pane=pane, memory=memory)))
        except Unavailable as error:
            self._complain(f"what was learned from the log is not kept now: {error}")

    @property
    def _handed_in(self) -> tuple[Any, ...]:
        return tuple(each for part in self._parts.values() for each in part.handed_in)

    def _go_on(self, service: str) -> None:
        """From the checkpoint, if what it says is what feeding the log would say."""
        data = self._store.load()
        if data is None:
            return
        try:
            found = msgspec.msgpack.decode(data, type=Checkpoint)
        except msgspec.MsgspecError:
            return  # of another version
        if found.key != self._key or not self._covered(found.pane.index):
            return
        there = next(iter(self._telemetry.sealed(service, found.pane.index - 1)), None)
        if there is None or there.pane != found.pane:
            return  # another log, or one whose beginning is gone
        memory = _Recall(io.BytesIO(found.memory), self._handed_in).load()  # the store has verified who wrote it
        for name, part in self._parts.items():
            part.recall(memory[name])


class _Keep(pickle.Pickler):
    """What was handed in goes by its place in the list."""

    def __init__(self, file: io.BytesIO, handed_in: tuple[Any, ...]) -> None:
        super().__init__(file, protocol=5)
        self._places = {id(each): place for place, each in enumerate(handed_in) if each is not None}

    def persistent_id(self, obj: Any) -> int | None:
        return self._places.get(id(obj))


class _Recall(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, handed_in: tuple[Any, ...]) -> None:
        super().__init__(file)
        self._handed_in = handed_in

    def persistent_load(self, pid: Any) -> Any:
        return self._handed_in[pid]


def _kept(memory: dict[str, dict[str, Any]], handed_in: tuple[Any, ...]) -> bytes:
    file = io.BytesIO()
    _Keep(file, handed_in).dump(memory)
    return file.getvalue()
