"""Every drill, and the disaster: how soon a fault is seen and over, and what clients lost. Some four minutes.

The table is the one of `docs/reference/drills.md`.
"""

import tempfile
from pathlib import Path

from flyball.app.drills.disaster import markdown as of_disaster
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.report import goals, table
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.drills.run import disaster, run
from flyball.app.wiring.drills.turns import Wanted


def main() -> None:
    """Print both tables."""
    person = Person(name="benchmark", proof="simulated")
    with tempfile.TemporaryDirectory() as folder:
        report = run(Home(Path(folder) / "drills"), Wanted(faults=tuple(FAULTS)), person, print)
        print("\n".join(table(report.drills)))
        print("\n".join(goals(report.drills)), f"in {report.seconds:.0f} s")
        print(of_disaster(disaster(Home(Path(folder) / "disaster"), person, print)))


if __name__ == "__main__":
    main()
