"""Goes through the steps of one training: what was computed before from the same inputs is found, the rest is done."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from flyball.core.ports import StepStore
from flyball.core.runs import StepUse

Output = TypeVar("Output")
Files = Mapping[str, bytes]


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
        self.timings: dict[str, float] = {}  # step -> seconds

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
            (output,) = found
        else:
            self._prepare()
            output = make()
            if self._store is not None and key is not None:
                self._store.put(name, key, dump(output))
        seconds = round(time.perf_counter() - started, 4)
        self.timings[name] = seconds
        self._ended(StepUse(name=name, seconds=seconds, how="done" if found is None else "found"))
        return output

    def _found(self, key: str | None, load: Callable[[Files], Output]) -> tuple[Output] | None:
        kept = self._store.get(key) if self._store is not None and key is not None else None
        if kept is None:
            return None
        try:
            return (load(kept),)
        except Exception:  # whole bytes of a form that this version cannot read: the step is done again
            return None
