"""What Flagger posts to a webhook, and the two questions that it can be asked.

Its hooks read the status alone, and not all alike: to every hook 200 means "go on", but to a `rollback` hook it means
"take it back". So the same verdict needs two answers, and each is 200 for exactly one verdict: whatever is unknown,
refused or broken moves nothing in either direction.
"""

from typing import Literal

from flyball.app.api.judgement import Judgement
from flyball.core.errors import Refused
from flyball.core.record import Record

Asked = Literal["go", "rollback"]
_MOVES: dict[Asked, str] = {"go": "PROMOTE", "rollback": "ROLL_BACK"}


class CanaryHook(Record, forbid_unknown_fields=False):
    """The payload, as far as it matters here; its other keys differ from one version of Flagger to the next."""

    name: str  # of the canary
    namespace: str
    phase: str = ""
    checksum: str = ""
    metadata: dict[str, str] = {}

    @property
    def service(self) -> str:
        """`metadata.service`, else the canary's own name."""
        return self.metadata.get("service") or self.name

    @property
    def release(self) -> str | None:
        """`metadata.release`."""
        return self.metadata.get("release") or None

    @property
    def token(self) -> str | None:
        """A key or token of ours in `metadata.token`: Flagger's webhooks send no headers of one's own."""
        return self.metadata.get("token") or None


def answered(asked: Asked, found: Judgement) -> Judgement:
    """The judgement, where it is the one that moves something.

    Raises: Refused: it is another, with the reasons that Flagger writes into its log and events.

    >>> found = Judgement(ok=False, verdict="HOLD", cause="none", reasons=("too little",), waiting_for=("200 more",))
    >>> try:
    ...     answered("rollback", found)
    ... except Refused as refused:
    ...     print(refused)
    HOLD: too little; waits for 200 more
    """
    if found.verdict == _MOVES[asked]:
        return found
    waits = f"; waits for {', '.join(found.waiting_for)}" if found.waiting_for else ""
    raise Refused(f"{found.verdict}: {'; '.join(found.reasons)}{waits}")
