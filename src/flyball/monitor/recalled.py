"""What a part of the monitor has seen, as one value: to be kept by one process and recalled by the next. Pure."""

from typing import Any


class Recalled:
    """`control.reconcile.checkpoint.Recallable`: all its attributes, but for what it was handed in."""

    handed_in: tuple[Any, ...] = ()  # objects that are the new process's own, wherever the state refers to them

    def memory(self) -> dict[str, Any]:
        """All that was seen: feeding the same segments again gives the same."""
        return {name: each for name, each in vars(self).items() if name != "handed_in"}

    def recall(self, memory: dict[str, Any]) -> None:
        """Go on from what another one of the same service, declaration and code has seen."""
        vars(self).update(memory)
