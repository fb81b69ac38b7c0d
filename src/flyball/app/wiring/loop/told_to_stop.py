"""A process that ends when it is told to: the word comes as a signal, and is heard outside of the handler.

A handler runs between any two instructions of the main thread, also inside the lock of an `Event`; to set the event
there may wait for itself for ever, as soon as a second signal comes in that moment (each thread of a parent that is
killed may send one). So the interpreter only writes a byte, and the main thread does nothing but read it.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

WORDS = (signal.SIGTERM, signal.SIGINT)


def until_told(work: Callable[[threading.Event], None]) -> None:
    """Do the work in a thread until it ends by itself, or ends because its event is set by a signal.

    Raises: what the work raises.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in WORDS:
        signal.signal(number, lambda *_: None)  # that a byte is written is all
    stopping = threading.Event()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="work") as threads:
        doing = threads.submit(work, stopping)
        doing.add_done_callback(lambda _: os.write(told, b"\0"))
        os.read(heard, 1)
        stopping.set()
        doing.result()
    for number in WORDS:  # an interpreter that ends gives its handlers back, and would die of the next word
        signal.signal(number, signal.SIG_IGN)
