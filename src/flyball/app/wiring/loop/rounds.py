"""Whose turn is it: one queue of all services of a controller, and some threads that work it off.

A service that is due waits in the queue, however many rounds it has missed: rounds that could not be made are not made
up for. A round that takes long (a gateway that loads a release, a ledger that does not answer) holds one thread and its
own service; the others go on as long as a thread is free, so there is one for each of a few services and no thousand
of them for a thousand.
"""

import heapq
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Protocol

WORKERS = 32  # threads at most; each has a connection to the ledger
LOOKS_S = 0.2  # how soon a word to stop is heard


class Kept(Protocol):
    def round(self) -> float:
        """One round; how long until the next is due, seconds. Answers for its own errors."""
        ...

    def stop(self) -> None:
        """No round comes any more."""
        ...


def keep(kept: Sequence[Kept], stopping: threading.Event, *, workers: int = WORKERS) -> None:
    """Rounds of all, each as soon as it is due and a thread is free, until told to stop.

    Raises: whatever a round did not answer for.
    """
    due = [(0.0, number) for number in range(len(kept))]  # a heap: when, seconds of the monotonic clock; who
    running: dict[Future[float], int] = {}
    threads = max(1, min(workers, len(kept)))
    with ExitStack() as ending, ThreadPoolExecutor(max_workers=threads, thread_name_prefix="service") as pool:
        for each in kept:
            ending.callback(each.stop)  # of all, whatever one of them or a round raises
        while not stopping.is_set():
            now = time.monotonic()
            while due and due[0][0] <= now and len(running) < threads:
                _, number = heapq.heappop(due)
                running[pool.submit(kept[number].round)] = number
            free = len(running) < threads
            left_s = min(LOOKS_S, max(0.0, due[0][0] - now)) if due and free else LOOKS_S
            if not running:
                stopping.wait(left_s)
                continue
            for done in wait(running, timeout=left_s, return_when=FIRST_COMPLETED).done:
                heapq.heappush(due, (time.monotonic() + done.result(), running.pop(done)))
