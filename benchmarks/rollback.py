"""How long a bad candidate keeps traffic once its rollback is decided: one process, and several workers, under load.

The time from the supervisor's decision to the arrival of the last row that was given to the candidate, and to the
answer of that row (a request in flight finishes on its arm, or by its stand-in). A hundred rollouts each, real
processes and HTTP. The last turn is with workers and arms that make room for fresh ones all the time.
"""

import statistics
import tempfile
from pathlib import Path

ROUNDS = 100


def main() -> None:
    """Print p50, p99 and the longest, ms."""
    from tests.serving.stage import SERVICE, stage
    from tests.serving.test_rollbacks import RENEWED, rollbacks

    for workers, declared in ((1, SERVICE), (2, SERVICE), (2, RENEWED)):
        with tempfile.TemporaryDirectory() as folder, stage(Path(folder), workers=workers, declared=declared) as made:
            found = rollbacks(made, ROUNDS, renewed=declared == RENEWED)
        given = [max(0.0, each.last_given_at - each.decided_at) * 1000 for each in found]
        answered = [max(0.0, each.last_answered_at - each.decided_at) * 1000 for each in found]
        renewed = ", renewed after 100 rows each" if declared == RENEWED else ""
        print(f"{workers} process(es){renewed}, {len(found)} rollbacks, ms from the decision")
        print(f"  to the last row that the candidate was given: {_of(given)}")
        print(f"  to the answer of the last such row: {_of(answered)}")


def _of(values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100)
    return f"p50 {cuts[49]:.2f}, p99 {cuts[98]:.2f}, longest {max(values):.2f}"
