"""`core.ports.Searcher` with Optuna's tree-structured Parzen estimator (extra `search`), seeded: repeatable."""

from collections.abc import Callable, Mapping
from typing import Any

from flyball.core.errors import TrainingFailed, Unavailable
from flyball.core.ports import Trial
from flyball.core.service import Scalar, Space


class TpeSearch:
    """One study in memory a search; trials one after another, as parallel ones would not be repeatable."""

    def search(
        self,
        space: Mapping[str, Space],
        *,
        trials: int,
        seed: int,
        direction: str,
        score: Callable[[dict[str, Scalar]], float],
        until: Callable[[], bool],
    ) -> tuple[Trial, ...]:
        """See the port."""
        optuna = _optuna()
        study = optuna.create_study(
            direction="maximize" if direction == "higher" else "minimize",
            sampler=optuna.samplers.TPESampler(seed=seed),
        )
        names = sorted(space)  # the order of proposals is part of what a seed gives
        found: list[Trial] = []
        while len(found) < trials and not until():
            asked = study.ask()
            config = {name: _propose(asked, name, space[name]) for name in names}
            try:
                value = score(config)
            except TrainingFailed as error:
                study.tell(asked, state=optuna.trial.TrialState.FAIL)
                found.append(Trial(number=len(found), config=config, error=str(error)))
                continue
            study.tell(asked, value)
            found.append(Trial(number=len(found), config=config, score=value))
        return tuple(found)


def check_installed() -> None:
    """Raises: Unavailable: the extra is not installed."""
    _optuna()


def _propose(trial: Any, name: str, space: Space) -> Scalar:
    if space.choices:
        at: int = trial.suggest_categorical(name, list(range(len(space.choices))))  # 1, 1.0 and true stay apart
        return space.choices[at]
    assert space.low is not None
    assert space.high is not None
    whole = isinstance(space.low, int) and isinstance(space.high, int)
    suggest = trial.suggest_int if whole else trial.suggest_float
    proposed: int | float = suggest(name, space.low, space.high, log=space.log)
    return proposed


def _optuna() -> Any:
    """Raises: Unavailable: the extra is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise Unavailable(
            "experiment.search needs Optuna, which is not installed", hint="pip install flyball[search]"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
