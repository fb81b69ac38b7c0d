"""A warm start: the champion's estimator, which `train` gets as `parent`."""

from typing import Any

from msgspec.structs import replace

from flyball.core.errors import TrainingFailed
from flyball.core.model import Code
from flyball.core.ports import Tools
from flyball.pipeline.run.subject import Subject


def warm(of: Subject, tools: Tools, code: Code) -> Code:
    """The service's code whose `train` also gets `parent`, where the declaration asks for a warm start.

    The estimator is loaded anew for each fit, as a fit may change it; None while there is no champion.

    Raises, when it fits: TrainingFailed: the champion was packaged without its estimator.
    """
    if not of.service.experiment.warm_start:
        return code
    return replace(code, train=lambda *given, **named: code.train(*given, **named, parent=_parent(of, tools)))


def _parent(of: Subject, tools: Tools) -> Any:
    if of.job.parent_folder is None:
        return None
    found = tools.load(of.job.parent_folder, release=of.job.parent or "").estimator
    if found is None:
        raise TrainingFailed(
            f"release {of.job.parent} was packaged without its estimator, so a warm start cannot begin from it",
            hint="set experiment.export: pickle, or warm_start: false",
        )
    return found
