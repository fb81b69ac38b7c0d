"""Where state lives: one home per command, `.flyball/` beside the first service file unless told otherwise."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

DATA_VARIABLE = "FLYBALL_DATA"
HOME_VARIABLE = "FLYBALL_HOME"
DEFAULT_DATA = "../shared/data"


@dataclass(frozen=True)
class Home:
    """The folder and the places in it."""

    root: Path

    @property
    def ledger(self) -> Path:
        """The ledger's file, unless the ledger stands in a database."""
        return self.root / "ledger.db"

    @property
    def ledger_url(self) -> Path:
        """Names the database in which the ledger stands; no file: it stands in the home. May hold a password."""
        return self.root / "ledger.url"

    @property
    def database(self) -> str | None:
        """URL of the database in which the ledger stands; None: it stands in the home."""
        try:
            return self.ledger_url.read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    @property
    def has_ledger(self) -> bool:
        return self.ledger.exists() or self.database is not None

    @property
    def heartbeat(self) -> Path:
        """When a controller last kept each service."""
        return self.root / "controller.json"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def cache(self) -> Path:
        """What can be computed again; anything in it may be deleted at any time."""
        return self.root / "cache"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def evidence(self) -> Path:
        """A folder a release: card, bill of materials, attributions, plots."""
        return self.root / "evidence"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def experiments(self) -> Path:
        """Inputs of each experiment; the blobs of its code are named in there."""
        return self.root / "experiments"

    @property
    def work(self) -> Path:
        """Scratch of running trainings; anything in it may be deleted when nothing runs."""
        return self.root / "work"

    @property
    def digests(self) -> Path:
        """What was written up of each service, a file a period."""
        return self.root / "digests"

    def steps(self, service: str) -> Path:
        """Outputs of steps of trainings; all of it can be computed again."""
        return self.root / "steps" / service

    @property
    def locks(self) -> Path:
        """A file for each experiment that is being trained; empty when nothing runs."""
        return self.root / "locks"

    @property
    def runs(self) -> Path:
        """A folder a run: what it printed and what it used."""
        return self.root / "runs"

    def folder_of(self, service: str) -> Path | None:
        """The folder of a service that the home stands beside, or in whose neighbour; None: nobody knows."""
        beside = (self.root.parent, self.root.parent / service)
        return next((folder for folder in beside if (folder / "service.yaml").exists()), None)

    def beside(self) -> list[str]:
        """Folders of services beside the home, by their names."""
        return sorted(file.parent.name for file in self.root.parent.glob("*/service.yaml"))

    def telemetry(self, service: str) -> Path:
        return self.root / "telemetry" / service

    def windows(self, service: str) -> Path:
        """What the monitor said of each window of one service."""
        return self.root / "monitor" / f"{service}.db"

    def checkpoint(self, service: str) -> Path:
        """What the controller has learned from the log of one service; it can be learned again."""
        return self.root / "monitor" / f"{service}.checkpoint"

    def health(self, service: str) -> Path:
        """How well one service is, as its controller judged it last."""
        return self.root / "monitor" / f"{service}.health.json"

    def gateway(self, service: str) -> Path:
        """Routing table, counters and spool of one service's gateway."""
        return self.root / "gateway" / service

    @property
    def incidents(self) -> Path:
        """A folder an incident."""
        return self.root / "incidents"

    def incident(self, incident: str) -> Path:
        """What was kept of an incident when it was opened."""
        return self.incidents / incident

    @property
    def socket(self) -> Path:
        return self.root / "gateway" / "control.sock"

    @property
    def refused(self) -> Path:
        """Credentials that a process of the gateway refuses, a file each."""
        return self.root / "run" / "refused"

    @property
    def gateway_address(self) -> Path:
        """Where the gateway of this home answers."""
        return self.root / "gateway" / "address.json"

    def made(self) -> "Home":
        """The same home, its folder made and private to its owner."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self


def find_home(option: str | None, services: tuple[Path, ...] = ()) -> Home:
    """`--home`, else `FLYBALL_HOME`, else beside the first service file, else the nearest `.flyball/` upwards."""
    if option:
        return Home(Path(option).resolve())
    if named := os.environ.get(HOME_VARIABLE):
        return Home(Path(named).resolve())
    if services:
        return Home(services[0].resolve().parent / ".flyball")
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / ".flyball").is_dir():
            return Home(folder / ".flyball")
    return Home(here / ".flyball")


def command(home: Home, *words: str) -> str:
    """A command as somebody standing here would type it, with `--home` where it would not find this home by itself.

    >>> command(Home(Path("/srv/state")), "approve", "fraud")
    'flyball approve fraud --home /srv/state'
    """
    found = find_home(None).root == home.root.resolve()
    return shlex.join(["flyball", *words, *(() if found else ("--home", str(home.root)))])


def expand_data(source: str) -> Path:
    """A `source:` value as a path: `$FLYBALL_DATA` stands for the data folder."""
    data = os.environ.get(DATA_VARIABLE, DEFAULT_DATA)
    return Path(source.replace("${FLYBALL_DATA}", data).replace("$FLYBALL_DATA", data)).expanduser()
