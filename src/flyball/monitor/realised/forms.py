"""What the answers of one release are counted as: its classes, the scores that are ranked, the units of its errors."""

from dataclasses import dataclass

from flyball.core.release import Baseline
from flyball.core.service import Task
from flyball.monitor.panes import class_places
from flyball.monitor.realised.tally import Form
from flyball.stats.exact_sum import bits_for

MOST_RANKED = 10  # classes: of more of them no areas are told
TOP = -1  # ranked beside the classes: the class that was answered with the greatest score
_LOSS = (("log_loss", 46), ("log_loss2", 40), ("brier", 46), ("brier2", 40))  # at most 34.6 nats, and 2
_VALUE = (("value", 30), ("value2", 20))


@dataclass(frozen=True, kw_only=True)
class Known:
    """A release, as far as counting its answers goes."""

    form: Form
    place: dict[str, int]  # number of each text under which a class may come


def known(baseline: Baseline, task: Task, *, valued: bool) -> Known:
    """From what the release answered when it was made. Args: valued: whether answers have a worth."""
    told = baseline.prediction.get("prediction")
    value = _VALUE if valued else ()
    if task == "regression":
        scale = max((abs(edge) for edge in told.edges), default=1.0) if told is not None else 1.0
        sums = (
            *((name, bits_for(scale, power=power)) for name, power in (("absolute", 1), ("square", 2), ("fourth", 4))),
            ("relative", 46),
            ("relative2", 40),
        )
        return Known(form=Form(task=task, sums=(*sums, *value)), place={})
    classes = told.values if told is not None else ()
    ranked: tuple[int, ...] = (1,) if len(classes) == 2 else ()
    if task == "multiclass":
        ranked = (*(range(len(classes)) if len(classes) <= MOST_RANKED else ()), TOP)
    return Known(
        form=Form(task=task, classes=classes, ranked=ranked, sums=(*_LOSS, *value)), place=class_places(classes)
    )
