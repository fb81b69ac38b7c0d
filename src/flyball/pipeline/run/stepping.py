"""Goes through the steps of one training: what was computed before from the same inputs is found, the rest is done."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from flyball.core.ports import StepStore
from flyball.core.runs import StepUse

Output = TypeVar("Output")
Files = Mapping[str, bytes]
_WORKED = "worked_s"  # beside the files of a kept output: the seconds that somebody worked for it


class Steps:
    """One run. `began` is told a step's name before it, `ended` what it took after it."""

    def __init__(
        self,
        keys: Mapping[str, str],
        store: StepStore | None,
        *,
        began: Callable[[str], None],
        ended: Callable[[StepUse], None],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """Args: prepare: called before a step is done, so that those done before it in this process do not matter."""
        self._keys, self._store = keys, store
        self._began, self._ended, self._prepare = began, ended, prepare
        self.timings: dict[str, float] = {}  # step -> seconds of this run
        self.worked: dict[str, float] = {}  # step -> seconds of the run that did it, this one or an earlier one

    def take(
        self,
        name: str,
        make: Callable[[], Output],
        *,
        dump: Callable[[Output], Files],
        load: Callable[[Files], Output],
    ) -> Output:
        """The output of a step. `load` of what `dump` gave is the output again, so both ways lead on alike.

        A step that raises leaves nothing behind: it is done anew in the next run.
        """
        self._began(name)
        started = time.perf_counter()
        key = self._keys.get(name)
        found = self._found(key, load)
        if found is not None:
            output, self.worked[name] = found
        else:
            self._prepare()
            output = make()
            self.worked[name] = round(time.perf_counter() - started, 4)
            if self._store is not None and key is not None:
                self._store.put(name, key, {**dump(output), _WORKED: str(self.worked[name]).encode()})
        seconds = round(time.perf_counter() - started, 4)
        self.timings[name] = seconds
        self._ended(StepUse(name=name, seconds=seconds, how="done" if found is None else "found"))
        return output

    @property
    def worked_s(self) -> float:
        """Seconds of all steps so far, found ones with what they took when they were done.

        A release that needed an hour has cost an hour, also where a run after a kill finds most of it.
        """
        return sum(self.worked.values())

    def _found(self, key: str | None, load: Callable[[Files], Output]) -> tuple[Output, float] | None:
        kept = self._store.get(key) if self._store is not None and key is not None else None
        if kept is None:
            return None
        try:
            return load({name: data for name, data in kept.items() if name != _WORKED}), float(kept[_WORKED])
        except Exception:  # whole bytes of a form that this version cannot read: the step is done again
            return None
