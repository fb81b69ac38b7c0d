"""Homes with a real ledger and stored things that are small: what a sweep sees of them is real."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from flyball.adapters.content.blobs import Blobs
from flyball.adapters.ledger.memory import SequentialIds, SimulatedClock
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.stores.collecting import Collector
from flyball.core import events as e
from flyball.core.codec import canonical
from flyball.core.facts.storage import StorageCollected
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.release import Release, Snapshot
from flyball.pipeline.manifest import of_bytes

DAY = 86_400.0


class Made:
    """A home in which time stands still until it is moved; everything that is stored is as old as the clock says."""

    def __init__(self, root: Path, ledger: Ledger, clock: SimulatedClock) -> None:
        self.home, self.ledger, self.clock = Home(root), ledger, clock
        self.blobs = Blobs(self.home.blobs)

    def collector(self) -> Collector:
        return Collector(self.home, self.ledger, self.clock, SequentialIds())

    def blob(self, data: bytes) -> str:
        name = self.blobs.put(data)
        digest = name.removeprefix("sha256:")
        self._age(self.home.blobs / digest[:2] / digest[2:])
        return name

    def snapshot(self, name: str) -> Digest:
        files = {"data.parquet": name.encode()}
        root = of_bytes(files).root
        self._folder(self.home.snapshots / root.removeprefix("sha256:"), files)
        return root

    def release(self, name: str, snapshot: Digest, *, code: bytes, step: str, parent: str | None = None) -> ReleaseRoot:
        """A folder with manifest and experiment, its code as a blob, one step's output, which nothing names."""
        self.blob(code)
        files = {"model.pkl": name.encode(), "code/model.py": code}
        whole = of_bytes(files)
        document = {"snapshot": snapshot, "parents": [parent] if parent else []}
        beside = {"manifest.json": canonical(whole), "experiment.json": canonical(document)}
        self._folder(self.home.releases / whole.root.removeprefix("sha256:"), files | beside)
        self._folder(self.home.root / "steps" / "fraud" / step, {"out.parquet": name.encode()})
        return ReleaseRoot(whole.root)

    def register(self, root: ReleaseRoot, snapshot: Digest, *, service: str = "fraud", passed: bool = True) -> None:
        found = Release(
            root=root,
            experiment=ExperimentDigest("fx1:sha256:" + sha256(root.encode()).hexdigest()),
            service=ServiceName(service),
            task="binary",
            snapshot=snapshot,
            metrics={},
            gates=(),
            passed=passed,
        )
        name = ServiceName(service)
        taken = Snapshot(root=snapshot, files=(), rows=1, source="source")
        self.ledger.append(
            [
                e.SnapshotTaken(service=name, snapshot=taken),
                e.ReleaseRegistered(service=name, release=found),
                e.GatesJudged(service=name, release=root, passed=passed, results=()),
            ]
        )

    def appoint(self, root: ReleaseRoot, *, service: str = "fraud") -> None:
        self.ledger.append([e.ChampionAppointed(service=ServiceName(service), release=root, previous=None)])

    def stored(self) -> set[str]:
        """Every file that a sweep may delete, by its place."""
        return {
            path.relative_to(self.home.root).as_posix()
            for folder in ("releases", "snapshots", "blobs", "steps", "experiments", "quarantine")
            for path in (self.home.root / folder).rglob("*")
            if path.is_file()
        }

    def deleted(self) -> list[str]:
        return [
            each.name
            for entry in self.ledger.read()
            if isinstance(entry.fact, StorageCollected)
            for each in entry.fact.deleted
        ]

    def _folder(self, folder: Path, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        self._age(folder)

    def _age(self, path: Path) -> None:
        now = self.clock.now().timestamp()
        os.utime(path, (now, now))


@contextmanager
def made(root: Path, clock: SimulatedClock | None = None) -> Iterator[Made]:
    time = clock or SimulatedClock()
    with ledger_of(Home(root).made(), clock=time) as ledger:
        yield Made(root, ledger, time)


def step_name(text: str) -> str:
    return sha256(f"step {text}".encode()).hexdigest()


def champion_and_failures(home: Made, failures: Sequence[str] = ("f", "g", "h")) -> ReleaseRoot:
    """A champion, and releases that failed with what only they needed, and what they share with it."""
    shared = home.snapshot("shared")
    root = home.release("champion", shared, code=b"code", step=step_name("champion"))
    home.register(root, shared)
    home.appoint(root)
    for name in failures:
        own = home.snapshot(name)
        failed = home.release(name, own, code=f"code of {name}".encode(), step=step_name(name), parent=root)
        home.register(failed, own, passed=False)
    return root
