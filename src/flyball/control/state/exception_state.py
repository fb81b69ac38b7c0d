"""The exceptions of a service that stand, and the releases that went ahead by one: a fold over their facts."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.record import Record
from flyball.core.release import Release
from flyball.decide.exceptions import GateException, covering


class ExceptionsState(Record):
    """What stands, and what is remembered of what stood."""

    standing: dict[str, GateException] = {}  # by name
    given: int = 0  # that two people have given, ever
    tried: dict[str, tuple[str, ...]] = {}  # release -> the exceptions that its newest rollout stood on

    def told(self, name: str) -> dict[str, str]:
        """One that stands, for the report that an approver reads."""
        one = self.standing[name]
        asked, second = one.requested, one.confirmed.by if one.confirmed is not None else ""
        people = {"asked_by": asked.by, "confirmed_by": second, "why": asked.why}
        return {"exception": name, "gate": asked.gate, "expires_at": asked.expires_at} | people

    def lets_on(self, release: Release, policy: str, now: str | None = None) -> bool:
        """Whether it may be tried: it passed, or each gate that failed has its exception."""
        return release.passed or covering(release, self.standing.values(), policy=policy, now=now) is not None


def folded(state: ExceptionsState, fact: e.AnyFact) -> ExceptionsState:
    """One fact further; facts of other things change nothing."""
    match fact:
        case e.ExceptionRequested(exception=name) if name not in state.standing:
            return replace(state, standing=state.standing | {name: GateException(requested=fact)})
        case e.ExceptionConfirmed(exception=name) if name in state.standing:
            asked = state.standing[name]
            if asked.confirmed is not None or asked.requested.by == fact.by:
                return state
            confirmed = replace(asked, confirmed=fact)
            return replace(state, standing=state.standing | {name: confirmed}, given=state.given + 1)
        case e.ExceptionEnded(exception=name):
            return replace(state, standing={key: one for key, one in state.standing.items() if key != name})
        case e.RolloutOpened(rollout=rollout, release=root, exceptions=names):
            held = {name: replace(one, rollout=rollout) for name, one in state.standing.items() if name in names}
            tried = {key: known for key, known in state.tried.items() if key != root}
            return replace(state, standing=state.standing | held, tried=tried | ({root: names} if names else {}))
        case e.RolloutClosed(rollout=rollout, again=True):  # nothing was said against the release
            freed = {name: replace(one, rollout=None) for name, one in state.standing.items() if one.rollout == rollout}
            return replace(state, standing=state.standing | freed)
        case _:
            return state
