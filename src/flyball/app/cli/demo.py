"""`flyball demo`: the whole loop at work, in two minutes."""

import asyncio
import os
import tempfile

from flyball.app.cli.door import HomeOption, JsonFile, emit_to, say
from flyball.app.home import HOME_VARIABLE, find_home
from flyball.core.errors import BadInput, Fault

INTERRUPTED = 130


def demo(*, json: JsonFile = None, home: HomeOption = None) -> int:
    """Train, roll out, break, kill, drift and recover a service under live traffic, and say what was seen.

    Without --home or FLYBALL_HOME the state goes to a new folder, which is printed. Exit code 0: all was seen. 1: not.
    """
    from flyball.app.demo.screen import screen
    from flyball.app.wiring.demo import run

    if home is None and not os.environ.get(HOME_VARIABLE):
        home = tempfile.mkdtemp(prefix="flyball-demo-")
    place = find_home(home)
    if place.has_ledger:
        fault = Fault(where="--home", path=str(place.root), expected="a new folder", found="a home with a ledger")
        raise BadInput("The demo needs a home of its own.", (fault,))
    say(f"home: {place.root}")
    try:
        report = run(place, lambda at_s, chapter, what: say(f"{at_s:6.1f} s  {chapter}: {what}"))
    except asyncio.CancelledError:
        return INTERRUPTED
    emit_to(report, json, text=lambda: screen(report))
    return 0 if report.ok else 1
