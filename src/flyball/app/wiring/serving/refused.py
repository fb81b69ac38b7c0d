"""Where the processes of a gateway leave what they refuse, so that the controller finds it."""

from collections.abc import Sequence
from functools import partial

from flyball.adapters.refused_files import Left, leave
from flyball.app.home import Home
from flyball.app.wiring.serving.panes import complain
from flyball.serving.access.refusals import Refusals


def refusals_of(home: Home, services: Sequence[str]) -> Refusals:
    """Of a process that answers for these services."""
    return Refusals(partial(_leave, home, tuple(services)))


def _leave(home: Home, services: tuple[str, ...], key: str, at: float) -> None:
    try:
        leave(home.refused, Left(key=key, at=at, services=services))
    except OSError as error:
        complain(f"that {key} is refused cannot be written: {error}")
