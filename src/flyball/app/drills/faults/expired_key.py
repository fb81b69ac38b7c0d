"""The key of a client has run out: its requests are refused, and everybody else's are answered."""

from flyball.app.drills.clients import Bend
from flyball.app.drills.fault import DrillFault, Stage, of_requests


class _OldKey(Bend):
    def __init__(self, text: str) -> None:
        self._text = text

    def headers(self, headers: dict[str, str]) -> dict[str, str]:
        return headers | {"Authorization": f"Bearer {self._text}"}


def _bend(stage: Stage) -> Bend:
    return _OldKey(stage.bad_key())


FAULT = DrillFault(
    name="expired_key",
    what="a client's key has run out",
    share=0.05,
    told_by=("access",),
    inject=of_requests(_bend),
)
