"""What a scorecard costs: 100,000 facts of one service on a ledger, read, folded and held to their targets."""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.control.review.outside import Outside
from flyball.control.review.reading import past_of
from flyball.control.review.scorecard import scorecard
from flyball.core import events as e
from flyball.core.ids import Digest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.routing import Routing
from flyball.core.service import Review, StepKind
from flyball.decide.calendar import Span

FACTS, PER_APPEND = 100_000, 5_000
NAME = ServiceName("bench")
STEPS: tuple[StepKind, ...] = ("shadow", "canary", "canary")
POLICY = Digest("sha256:" + "0" * 64)


def main() -> None:
    """Print the figures; the folder is on the disk of the working directory."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-scorecard-") as folder:
        home = Home(Path(folder) / "home")
        with ledger_of(home.made()) as ledger:
            facts = [fact for number in range(FACTS // 10) for fact in rollout(number)]
            for first in range(0, len(facts), PER_APPEND):
                ledger.append(facts[first : first + PER_APPEND])
        begun = time.perf_counter()
        entries = list(open_ledger(home).read(subject=NAME))
        read = time.perf_counter()
        past = past_of(entries, NAME)
        now = datetime.now(UTC)
        span = Span(since=now - timedelta(days=1), until=now + timedelta(days=1))
        card = scorecard(NAME, past, span, Review(), Outside())
        done = time.perf_counter()
    n = card.line("deployments").n
    took = f"{done - read:.2f} s, after {read - begun:.2f} s to read"
    print(f"scorecard of {len(entries):,} facts ({n:,} deployments): {took}")


def rollout(number: int) -> list[e.AnyFact]:
    """Ten facts of one release on its way."""
    name = RolloutId(f"ro-{number}")
    root, before = (ReleaseRoot(f"sha256:{at:064x}") for at in (number + 1, number))
    routing = Routing(service=NAME, epoch=number, champion=before)
    started = [
        e.StepStarted(service=NAME, rollout=name, step=step, kind=kind, key=f"{name}/{step}", routing=routing, why="-")
        for step, kind in enumerate(STEPS)
    ]
    incident = f"in-{number}"
    return [
        e.TriggerReceived(service=NAME, source="commit", reference="c", key=str(number), by="ci", proof="token"),
        e.RolloutOpened(
            service=NAME,
            rollout=name,
            release=root,
            champion=before,
            policy=POLICY,
            salt="s",
            reason="commit",
        ),
        *started,
        e.IncidentOpened(service=NAME, incident=incident, kind="data_quality", reason="-"),
        e.IncidentClosed(service=NAME, incident=incident, how="recovered", reason="-", recovered_s=60.0),
        e.RemedyBegun(
            service=NAME, remedy=f"re-{number}", kind="shed", cause="errors", number=0, why="-", verify_by=""
        ),
        e.ChampionAppointed(service=NAME, release=root, previous=before, rollout=name),
        e.RolloutClosed(service=NAME, rollout=name, outcome="promoted", reason="-"),
    ]


if __name__ == "__main__":
    main()
