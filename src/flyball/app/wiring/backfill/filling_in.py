"""A backfill that the controller begins: a process of its own, so that a large table costs the loop nothing.

    python -m flyball.app.wiring.backfill.filling_in --home FOLDER --service FILE --incident NAME --since S --until S
        --rows FILE

It does what `flyball backfill` does, in the name of the policy, and says on standard error what came of it. Killed at
any line it is begun anew: every step may be done twice (`backfill/doing.py`). Exit code 1: the rows violate the
contract; 2: they cannot be used; 3: something cannot be written.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.backfill import doing
from flyball.app.wiring.backfill.reading import prepared
from flyball.app.wiring.ledger import ledger_of
from flyball.core.clock import moment
from flyball.core.errors import FlyballError

POLICY = Person(name="policy", proof="policy")
NICE = 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="flyball filling-in")
    for option in ("home", "service", "incident", "since", "until", "rows"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    os.nice(NICE)
    try:
        code = _filled_in(options)
    except FlyballError as error:
        print(f"{error}", file=sys.stderr)
        code = error.exit_code
    raise SystemExit(code)


def _filled_in(options: argparse.Namespace) -> int:
    home, declared = Home(Path(options.home)), load(Path(options.service))
    name = declared.service.metadata.name
    made = prepared(
        home,
        declared,
        since=moment(options.since).timestamp(),
        until=moment(options.until).timestamp(),
        rows=Path(options.rows),
        labels=None,
        now=datetime.now(UTC),
        advance=lambda _: None,
    )
    if made.report is not None and not made.report.accepted.all():
        broken = doing.told(made, name, why="").broken
        print(f"the repaired rows violate the data contract: {broken}", file=sys.stderr)
        return 1
    with ledger_of(home) as ledger:
        if doing.done_before(ledger, name, made):
            doing.rewritten(home, name, made)
            return 0
        found = doing.backfill(home, declared, made, ledger, POLICY, incident=options.incident, advance=lambda _: None)
    print(f"{options.incident}: {found.rows} of {found.originals} rows made again", file=sys.stderr)
    if found.warning:
        print(f"{options.incident}: {found.warning}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    main()
