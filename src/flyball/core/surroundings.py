"""What is measured around a service rather than in its log: probes, processes, the disk."""

from flyball.core.record import Record


class Probed(Record):
    """One synthetic request and what came of it."""

    endpoint: str  # `predict`, `infer`, `ready`, `grpc`
    at: float  # seconds since the epoch
    ok: bool
    latency_ms: float
    said: str = ""  # what was wrong; empty: nothing


class Worker(Record):
    """A process that answers."""

    pid: int
    memory_mb: float  # resident


class Surroundings(Record):
    probes: tuple[Probed, ...] = ()  # the newest ten of each endpoint, oldest first
    failing_since: dict[str, float] = {}  # by endpoint: the first of the probes that have failed one after the other
    workers: tuple[Worker, ...] = ()
    memory_used: float | None = None  # share of the machine's; None: nobody has looked
    disk_free: float | None = None  # share of the home's disk
    # key that has run out, or `unknown` -> when last, seconds since the epoch; None: nobody has looked
    refused: dict[str, float] | None = None
    missing: dict[str, str] = {}  # what could not be measured, and why

    def probed_since(self, at: float) -> tuple[Probed, ...]:
        """Its probes after that moment: older ones say nothing about now. Args: at: seconds since the epoch."""
        return tuple(probe for probe in self.probes if probe.at > at)
