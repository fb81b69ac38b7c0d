"""One queue of services: everybody gets turns, whoever takes long holds nobody else, and threads have a limit."""

import threading
import time
from collections.abc import Callable

import pytest

from flyball.app.wiring.loop.rounds import keep


class Service:
    """Counts its rounds; `each` is what a round does."""

    def __init__(self, each: Callable[[], None] = lambda: None, wait_s: float = 0.0) -> None:
        self.rounds, self.stopped, self._each, self._wait_s = 0, 0, each, wait_s
        self.threads: set[int] = set()
        self._inside = threading.Lock()

    def round(self) -> float:
        assert self._inside.acquire(blocking=False), "two rounds of one service at once"
        try:
            self.threads.add(threading.get_ident())
            self.rounds += 1
            self._each()
        finally:
            self._inside.release()
        return self._wait_s

    def stop(self) -> None:
        self.stopped += 1


def until(
    done: Callable[[], bool], services: list[Service], *, then: Callable[[], None] = lambda: None, workers: int = 4
) -> None:
    """Keep them until `done`, say stop, and do what comes `then`: whoever is released by it finds no other round."""
    stopping = threading.Event()
    kept = threading.Thread(target=keep, args=(services, stopping), kwargs={"workers": workers})
    kept.start()
    end = time.monotonic() + 60
    while not done() and time.monotonic() < end:
        threading.Event().wait(0.005)
    stopping.set()
    then()
    kept.join(60)
    assert not kept.is_alive()
    assert done()


def test_every_service_gets_its_turns_and_is_stopped_once() -> None:
    services = [Service() for _ in range(300)]
    until(lambda: min(each.rounds for each in services) >= 3, services)
    assert [each.stopped for each in services] == [1] * 300
    assert len({thread for each in services for thread in each.threads}) <= 4


def test_nobody_has_a_second_turn_before_everybody_had_a_first() -> None:
    """With one thread, which no other one overtakes while the machine holds it."""
    services = [Service() for _ in range(300)]
    until(lambda: min(each.rounds for each in services) >= 3, services, workers=1)
    assert max(each.rounds for each in services) <= min(each.rounds for each in services) + 1


def test_those_who_take_long_hold_nobody_else_while_a_thread_is_free() -> None:
    released = threading.Event()
    slow = [Service(lambda: (released.wait(60), None)[1]) for _ in range(3)]
    quick = [Service() for _ in range(50)]
    try:
        until(lambda: min(each.rounds for each in quick) >= 20, [*slow, *quick], then=released.set)
    finally:
        released.set()
    assert [each.rounds for each in slow] == [1, 1, 1]


def test_rounds_that_were_missed_are_not_made_up_for() -> None:
    released = threading.Event()
    missing = Service(lambda: (released.wait(60), None)[1], wait_s=3600.0)
    other = Service(wait_s=0.001)
    until(lambda: other.rounds >= 100, [missing, other], then=released.set)
    assert missing.rounds == 1


def test_a_word_to_stop_is_heard_while_nothing_is_due() -> None:
    services = [Service(wait_s=3600.0)]
    until(lambda: services[0].rounds == 1, services)
    assert services[0].stopped == 1


def test_what_a_round_did_not_answer_for_ends_the_keeping() -> None:
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    others = [Service() for _ in range(3)]
    with pytest.raises(RuntimeError, match="a fault of ours"):
        keep([Service(broken), *others], threading.Event())
    assert [each.stopped for each in others] == [1, 1, 1]


def test_without_services_there_is_nothing_to_keep() -> None:
    until(lambda: True, [])  # it waits for the word to stop, and hears it
