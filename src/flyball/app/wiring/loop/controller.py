"""Process: the controller of one or more services. Kill it between any two lines; the next one goes on.

python -m flyball.app.wiring.loop.controller --home FOLDER SERVICE.yaml...
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.keys import signing_key
from flyball.adapters.heartbeat import Beat, write_beat
from flyball.adapters.ids import TimeIds
from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.app.home import Home
from flyball.app.wiring.ledger import recorder
from flyball.app.wiring.loop import forensics, repairing, rounds
from flyball.app.wiring.loop.around import Around
from flyball.app.wiring.loop.keeper import Keeper
from flyball.app.wiring.loop.live import WithSpool
from flyball.app.wiring.loop.log_keeping import keep_all
from flyball.app.wiring.loop.told_to_stop import until_told
from flyball.app.wiring.reviewing.digesting import keep_digests
from flyball.app.wiring.secret import secret_of
from flyball.app.wiring.training.executors import Executors
from flyball.app.wiring.training.pipeline import Pipeline

BEAT_S = 1.0


def run(files: Sequence[Path], home: Home, stopping: threading.Event, *, owner: str | None = None) -> None:
    """Keep all of them until told to stop.

    `owner`: holds the leases; no two controllers that live at the same time may share one. None: a new one.
    """
    clock = SystemClock()
    ids = TimeIds(clock)
    gateways = WithSpool(SocketGateways(home.socket), home)
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(recorder(home.made())))
        trainer = Executors()
        pipeline = Pipeline(home, ledger, clock, ids, signing_key(home.keys), trainer)
        name = owner or ids.new("controller")
        around = Around(home, secret_of(home))
        keepers = [Keeper(file, home, pipeline, ledger, gateways, name, around) for file in files]
        for keeper in keepers:
            stack.callback(keeper.join)
        stack.callback(trainer.close)  # first of all: the trainings end, then their threads, then the ledger
        with ThreadPoolExecutor(max_workers=7, thread_name_prefix="beside") as threads:
            beside = (
                threads.submit(rounds.keep, keepers, stopping),
                threads.submit(keep_all, files, home, ledger, stopping),
                threads.submit(keep_digests, [keeper.held for keeper in keepers], home, ledger, stopping),
                threads.submit(_beat, keepers, home, name, stopping),
                threads.submit(forensics.keep_all, keepers, home, ledger, stopping),
                threads.submit(repairing.keep_all, files, keepers, home, stopping),
                threads.submit(around.run, stopping),
            )
            try:
                for kept in as_completed(beside):  # the first that ends by a fault is heard at once
                    kept.result()
            finally:
                stopping.set()  # nothing goes on without one of them: whoever looks after the process starts it anew


def _beat(keepers: Sequence[Keeper], home: Home, owner: str, stopping: threading.Event) -> None:
    """Tell every second which services were kept, and when; a disk that is full is said once, and tried again."""
    said = ""
    while not stopping.wait(BEAT_S):
        kept = {keeper.name: keeper.kept_at for keeper in keepers if keeper.kept_at is not None}
        try:
            write_beat(home.heartbeat, Beat(owner=owner, at=time.time(), kept=kept))
            said = ""
        except OSError as error:
            if said != str(error):
                sys.stderr.write(f"controller: {home.heartbeat}: {error}\n")
            said = str(error)


def main() -> None:
    parser = argparse.ArgumentParser(prog="flyball controller")
    parser.add_argument("--home", required=True)
    parser.add_argument("--owner")
    parser.add_argument("services", nargs="+", type=Path)
    options = parser.parse_args()
    until_told(partial(run, options.services, Home(Path(options.home)), owner=options.owner))


if __name__ == "__main__":
    main()
