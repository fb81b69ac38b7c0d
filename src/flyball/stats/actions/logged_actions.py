"""A log of actions that were taken by chance, in the checked form that estimates of another policy read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.stats.actions.overlap import Codes, Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class LoggedActions:
    """Columns of one length; their values may still be faulty."""

    propensity: Floats  # with which the logged action was taken, shape [n]
    reward: Floats
    target: Floats  # probability with which the target takes that action
    unit: Codes  # number of the unit that the row belongs to
    guesses: tuple[Floats, Floats] | None  # of the reward, after the logged action and after the target's

    @classmethod
    def of(
        cls,
        propensity: npt.ArrayLike,
        reward: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        unit: npt.ArrayLike | None = None,
        guesses: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> "LoggedActions":
        """Raises: ValueError: columns of several lengths, or not of one dimension."""
        given = [propensity, reward, target, *(guesses or ())]
        columns = [np.asarray(column, dtype=np.float64) for column in given]
        shapes = [column.shape for column in columns] + ([np.shape(unit)] if unit is not None else [])
        if len(set(shapes)) != 1 or columns[0].ndim != 1:
            raise ValueError(f"expected columns of one length, found shapes {', '.join(map(str, shapes))}")
        codes = np.arange(columns[0].size)
        if unit is not None:
            codes = np.unique(np.asarray(unit), return_inverse=True)[1].astype(np.int64).ravel()
        return cls(
            propensity=columns[0],
            reward=columns[1],
            target=columns[2],
            unit=codes,
            guesses=None if guesses is None else (columns[3], columns[4]),
        )

    def faults(self) -> tuple[str, ...]:
        """All that no estimate can be made of, with the rows that are meant.

        >>> LoggedActions.of([0.5, 0.0], [1.0, float("nan")], [1, 1]).faults()
        ('propensities missing, 0 or less, or above 1: 1 of 2 rows', 'rewards missing or infinite: 1 of 2 rows')
        """
        n = self.reward.size
        if n == 0:
            return ("the log holds no row",)
        guessed = np.ones(n, dtype=np.bool_) if self.guesses is None else np.isfinite(self.guesses).all(axis=0)
        kept = {
            "propensities missing, 0 or less, or above 1": (self.propensity > 0) & (self.propensity <= 1),
            "rewards missing or infinite": np.isfinite(self.reward),
            "probabilities of the target missing, or outside 0 to 1": (self.target >= 0) & (self.target <= 1),
            "guesses missing or infinite": guessed,
        }
        return tuple(f"{name}: {int((~rows).sum())} of {n} rows" for name, rows in kept.items() if not rows.all())


def followed(logged: npt.ArrayLike, target: npt.ArrayLike) -> Floats:
    """Probability with which a target that always answers the same takes the logged action: 1 where it is its own.

    Args: logged, target: actions, shape [n] each.
    Raises: ValueError: columns of two lengths.

    >>> followed(["a", "b"], ["a", "a"]).tolist()
    [1.0, 0.0]
    """
    one, other = np.asarray(logged), np.asarray(target)
    if one.shape != other.shape:
        raise ValueError(f"expected one action a row in both, found shapes {one.shape} and {other.shape}")
    return np.asarray(one == other, dtype=np.float64)
