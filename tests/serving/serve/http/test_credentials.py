"""Credentials: known ones are not judged again, rotation judges everybody anew and delays nobody who was known."""

from datetime import UTC, datetime

from flyball.core.access import Denied, Grant
from flyball.serving.serve.http.credentials import REMEMBERED_S, STRANGERS_BURST, Credentials


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at


class Judge:
    """Lets in whatever begins with `good`; counts how often it was asked."""

    def __init__(self, expires: float | None = None) -> None:
        self.asked, self._expires = 0, expires

    def __call__(self, text: str, now: float) -> Grant | Denied:
        self.asked += 1
        if text.startswith("good") and (self._expires is None or now < self._expires):
            return Grant(subject=text, scopes=frozenset(), expires=self._expires)
        return Denied(reason="no", kind="unknown")


def test_a_known_one_is_judged_once_a_minute_and_never_beyond_its_end() -> None:
    clock, judge = Clock(), Judge(expires=1_800_000_000.0 + 90)
    known = Credentials(judge, clock, lambda _: None)
    for _ in range(5):
        assert isinstance(known.found("good", "a"), Grant)
    assert judge.asked == 1
    clock.at += REMEMBERED_S + 1
    assert isinstance(known.found("good", "a"), Grant)
    assert judge.asked == 2
    clock.at += 30
    assert isinstance(known.found("good", "a"), Denied)


def test_after_a_rotation_nobody_is_believed_unasked_and_nobody_known_has_to_wait() -> None:
    clock, judge = Clock(), Judge()
    known = Credentials(judge, clock, lambda _: None)
    names = [f"good-{number}" for number in range(STRANGERS_BURST)]
    assert all(isinstance(known.found(name, "a"), Grant) for name in names)
    assert isinstance(known.found("good-late", "a"), float)  # the address has used up its strangers
    fresh = Judge()
    known.exchange(fresh)
    assert all(isinstance(known.found(name, "a"), Grant) for name in names)
    assert fresh.asked == len(names)
    known.exchange(lambda _text, _now: Denied(reason="all are dropped", kind="unknown"))
    assert all(isinstance(known.found(name, "a"), Denied) for name in names)


def test_strangers_of_one_address_wait_and_those_of_another_do_not() -> None:
    clock, judge = Clock(), Judge()
    known = Credentials(judge, clock, lambda _: None)
    found = [known.found(f"bad-{number}", "a") for number in range(3 * STRANGERS_BURST)]
    assert sum(isinstance(each, Denied) for each in found) == STRANGERS_BURST
    assert isinstance(known.found("good", "b"), Grant)
    wait_s = known.found("good-too", "a")
    assert isinstance(wait_s, float)
    clock.at += wait_s + 1e-3
    assert isinstance(known.found("good-too", "a"), Grant)
    assert isinstance(known.found("fbk_bad", "a"), Denied)  # a key costs next to nothing to judge
