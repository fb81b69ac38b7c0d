"""What a check found: the violations, rule by rule, and for each row its verdict, its reason and the rule it broke."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.contract import Severity
from flyball.core.record import Record

Codes = npt.NDArray[np.int32]


class Violation(Record):
    """One promise that the table breaks."""

    rule: str  # `amount.range`, `amount.unique`, the id of a quality rule
    column: str | None
    expected: str
    found: str  # examples, or the measured value
    rows: int  # how many break it; 0 where no single row does
    first_rows: tuple[int, ...] = ()  # positions, from 0
    severity: Severity = "error"


class RowRule(Record):
    """A promise that at least one row breaks."""

    rule: str
    reason: str  # code, as in `Checked.reason`
    verdict: str  # `quarantine` or `reject`


@dataclass(frozen=True)
class Report:
    """The contract's word on a table."""

    rows: int
    violations: tuple[Violation, ...]
    extra: tuple[str, ...]  # columns that the contract does not know
    codes: Codes = field(repr=False)  # shape [rows]: place in `rules` of what the row is judged by; -1: accepted
    rules: tuple[RowRule, ...] = ()

    @property
    def passed(self) -> bool:
        return not any(violation.severity == "error" for violation in self.violations)

    @cached_property
    def verdict(self) -> pl.Series:
        """`accept`, `quarantine` or `reject`, one a row."""
        return self._each("verdict", [rule.verdict for rule in self.rules]).fill_null("accept")

    @property
    def reason(self) -> pl.Series:
        """The code of the reason, one a row; null where the row is accepted."""
        return self._each("reason", [rule.reason for rule in self.rules])

    @property
    def rule(self) -> pl.Series:
        """The id of the rule that the verdict rests on, one a row; null where the row is accepted."""
        return self._each("rule", [rule.rule for rule in self.rules])

    @property
    def accepted(self) -> pl.Series:
        """Boolean mask: rows that a model may learn from."""
        return pl.Series("verdict", self.codes < 0)

    def judged(self, verdict: str = "quarantine") -> pl.DataFrame:
        """The rows of one verdict: `row` (position, from 0), `reason`, `rule`.

        >>> codes = np.array([-1, 0], dtype=np.int32)
        >>> rules = (RowRule(rule="a.range", reason="range", verdict="quarantine"),)
        >>> Report(rows=2, violations=(), extra=(), codes=codes, rules=rules).judged().rows()
        [(1, 'range', 'a.range')]
        """
        wanted = np.array([rule.verdict == verdict for rule in self.rules] + [verdict == "accept"])
        rows = np.flatnonzero(wanted[self.codes])  # -1 is the last
        return pl.DataFrame({"row": rows, "reason": self.reason.gather(rows), "rule": self.rule.gather(rows)})

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        counts = np.bincount(self.codes + 1, minlength=len(self.rules) + 1).tolist()
        verdicts = {"quarantine": 0, "reject": 0}
        for rule, count in zip(self.rules, counts[1:], strict=True):
            verdicts[rule.verdict] += count
        return {
            "passed": self.passed,
            "rows": self.rows,
            "accepted": counts[0],
            "quarantined": verdicts["quarantine"],
            "rejected": verdicts["reject"],
            "reasons": {
                rule.rule: count for rule, count in zip(self.rules, counts[1:], strict=True) if count
            },  # rows by the rule that decided
            "violations": self.violations,
            "extra_columns": self.extra,
        }

    def _each(self, name: str, words: list[str]) -> pl.Series:
        if not words:
            return pl.Series(name, [None], dtype=pl.String()).new_from_index(0, self.rows)
        places = pl.Series(np.where(self.codes < 0, len(words), self.codes))
        return pl.Series(name, [*words, None], dtype=pl.String()).gather(places)
