"""Which tests run: all of them where `suites: full`, else the cheap ones and what the declared gates read."""

from collections.abc import Iterable

from flyball.core.measures import family
from flyball.core.record import Record
from flyball.core.service import Service
from flyball.pipeline import gates
from flyball.stats.metrics import METRICS


class Plan(Record):
    """The cheap tests (data, privacy, beside a dummy, finite answers) always run; this is the rest."""

    training: bool  # trains again: shuffled labels, twice, a tiny batch
    model: bool  # every model test
    measures: frozenset[str]  # read by a gate, made by some suite

    def wants(self, beginning: str) -> bool:
        """Whether a test runs that makes measures with this beginning."""
        return self.model or any(name.startswith(beginning) for name in self.measures)

    def metrics_of(self, beginning: str, usual: Iterable[str]) -> tuple[str, ...]:
        """Last parts of the measures with this beginning; in a whole suite the usual ones as well.

        >>> asked = frozenset({"slice.worst.f1"})
        >>> Plan(training=False, model=False, measures=asked).metrics_of("slice.worst.", ("mae",))
        ('f1',)
        """
        asked = {name.rsplit(".", 1)[-1] for name in self.measures if name.startswith(beginning)}
        return tuple(sorted(asked | (set(usual) if self.model else set())))


def plan(service: Service) -> Plan:
    """What this declaration asks for."""
    full = service.experiment.suites == "full"
    suites = gates.suites(service.gates)
    read = gates.reads(service.gates)
    return Plan(
        training=full or "training" in suites,
        model=full or "model" in suites,
        measures=frozenset(name for name in read if name not in METRICS and family(name) is not None),
    )


def retrains(plan: Plan) -> bool:
    """Whether `train()` is called again."""
    return plan.training or plan.wants("backtest.")
