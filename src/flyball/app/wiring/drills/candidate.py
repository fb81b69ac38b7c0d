"""A candidate for a drill on a running service: a copy of the champion under a root of its own, in no registry.

Crash points, for a driver that is killed between any two lines: with a draft under `work/`, the next sweep removes it;
with the copy in the store and no fact of it, nobody asks for it, and a sweep deletes it as what nothing names; with the
fact, the controller tries it and takes it back at the end of the drill.
"""

import shutil
import time
from pathlib import Path

from flyball.adapters.content import signing
from flyball.adapters.content.hashing import Hasher, regular_files
from flyball.adapters.content.keys import signing_key
from flyball.app.demo.observe import Follower, NotSeen
from flyball.app.home import Home
from flyball.app.wiring.stores.drafts import draft
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core import events as e
from flyball.core.codec import canonical
from flyball.core.errors import Unavailable
from flyball.core.fact import Fact
from flyball.core.ids import ReleaseRoot
from flyball.core.ledger import Ledger
from flyball.core.routing import Routing
from flyball.pipeline.manifest import manifest
from flyball.pipeline.packing import BESIDE, MANIFEST, SIGNATURE

MARK = "drill.json"  # whose copy it is: the one file that the champion does not have, so its root is another
LIVE_S = 120.0  # until the gateway has loaded it and gives it traffic, from the offer


def copied(home: Home, champion: str, drill: str) -> ReleaseRoot:
    """Made, signed and stored; its root. Raises: NotFound, Untrusted, Unavailable: the champion cannot be had."""
    store = ReleaseStore(home)
    original = Path(store.verified(champion))
    with draft(home.work, f"drill-{drill}") as place:
        copy = place / "release"
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns(SIGNATURE))
        (copy / MARK).write_bytes(canonical({"drill": drill, "copy_of": champion}))
        made = manifest(Hasher().scan(copy, [name for name in regular_files(copy) if name not in BESIDE]).files)
        (copy / MANIFEST).write_bytes(canonical(made))
        signing.sign(copy, signing_key(home.keys).path)
        store.put(copy, made.root)
    return ReleaseRoot(made.root)


async def live(ledger: Ledger, offered: e.DrillCandidate) -> Routing:
    """Offer it, and wait until it has live traffic; its routing. Raises: Unavailable: the loop or the gateway does not
    take it up."""
    follow = Follower(ledger.read, lambda: None)
    follow.catch_up()
    after = follow.seq
    ledger.append([offered])

    def refused(fact: Fact) -> str | None:
        return fact.error if isinstance(fact, e.RoutingRefused) and fact.service == offered.service else None

    ends = time.monotonic() + LIVE_S
    try:
        started = await follow.until(
            e.StepStarted,
            lambda fact: fact.routing.candidate == offered.release,
            what="its canary",
            after=after,
            within_s=LIVE_S,
        )
        await follow.until(
            e.RoutingApplied,
            lambda fact: fact.service == offered.service and fact.epoch == started.routing.epoch,
            what="its live traffic",
            after=after,
            within_s=ends - time.monotonic(),
            unless=refused,
        )
    except NotSeen as error:
        raise Unavailable(f"the candidate of the drill is not tried: {error}") from error
    return started.routing
