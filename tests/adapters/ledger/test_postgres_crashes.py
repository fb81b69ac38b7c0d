"""What is left after a writer stood still in an append on PostgreSQL, or was cut off in its commit."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres

from flyball.app.home import Home
from flyball.app.wiring.ledger import use
from flyball.core.errors import Conflict, Unavailable
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.registry import chain

pytest.importorskip("psycopg", reason="the extra postgres is not installed")


from flyball.adapters.ledger.postgres import PostgresLedger

ANSWER_S = 60


def fact(why: str) -> Frozen:
    return Frozen(service=ServiceName("fraud"), by="ann", why=why)


@pytest.fixture
def url(postgres_server: str) -> str:
    return postgres.place(postgres_server)


@pytest.fixture
def home(url: str, tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    use(made, url)
    return made


@pytest.fixture
def ledger(url: str, home: Home) -> Iterator[PostgresLedger]:
    made = PostgresLedger(url, sealer=chain)
    yield made
    made.close()


def test_who_stands_still_in_a_transaction_is_ended_by_the_server_and_has_written_nothing(
    url: str, ledger: PostgresLedger
) -> None:
    patient = PostgresLedger(url, sealer=chain, idle_s=5.0)  # also between any two lines of a busy machine
    held = patient.lease("controller", "a", ttl_s=0)
    assert held is not None
    told = Standstill()

    class Slow:
        """An announcer that stands still, as a process under SIGSTOP would: behind the fence, before the commit."""

        def prepare(self, *_: object) -> None: ...

        def messages(self, *_: object) -> tuple[()]:
            told.stands.set()
            assert told.goes_on.wait(ANSWER_S)
            return ()

    patient._announcer = Slow()
    paused = threading.Thread(target=told.run, args=(lambda: patient.append([fact("too late")], fence=held),))
    paused.start()
    assert told.stands.wait(ANSWER_S)
    taken = ledger.lease("controller", "b", ttl_s=60)  # waits for the server, not for the one that stands still
    assert taken is not None
    assert taken.epoch == 2
    assert ledger.append([fact("the new one")], fence=taken)[0].seq == 1
    told.goes_on.set()
    paused.join(ANSWER_S)
    assert "nothing was written: terminating connection due to idle-in-transaction timeout" in str(told.error)
    assert ledger.head().size == 1
    patient.close()


@pytest.mark.parametrize("arrives", [False, True])
def test_a_connection_lost_in_the_commit_is_told_and_the_next_try_writes_nothing_twice(
    postgres_server: str, url: str, tmp_path: Path, *, arrives: bool
) -> None:
    proxy = Proxy(postgres_server, tmp_path)
    cut_off = PostgresLedger(url.replace(postgres_server, str(tmp_path)), sealer=chain)
    proxy.cut = "after" if arrives else "before"
    with pytest.raises(Unavailable, match="it may be written, or not") as caught:
        cut_off.append([fact("once")], ids=["1"], expected=0)
    assert "ids may be repeated" in caught.value.hint
    proxy.cut = ""
    again = cut_off.append(
        [fact("once")], ids=["1"], expected=0
    )  # waits until the server has done the one or the other
    assert len(again) == int(not arrives)
    assert [entry.seq for entry in cut_off.read()] == [1]
    with pytest.raises(Conflict):
        cut_off.append([fact("once")], expected=0)  # without ids the number keeps it from being told twice
    cut_off.close()
    proxy.close()


class Standstill:
    """A thread's story: where it stands, when it goes on, and how it ended."""

    def __init__(self) -> None:
        self.stands, self.goes_on = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def run(self, act: object) -> None:
        assert callable(act)
        try:
            act()
        except Unavailable as error:
            self.error = error


class Proxy:
    """A socket in front of the server's; it can cut a connection `before` or `after` a COMMIT has passed."""

    def __init__(self, server: str, folder: Path) -> None:
        self.cut = ""
        self._server = f"{server}/.s.PGSQL.5432"
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            _shut(each)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return  # closed
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._server)
            self._open += [near, far]
            threading.Thread(target=self._forth, args=(near, far), daemon=True).start()
            threading.Thread(target=self._back, args=(far, near), daemon=True).start()

    def _forth(self, near: socket.socket, far: socket.socket) -> None:
        while sent := _received(near):
            cut = self.cut  # as it is now: whoever was cut off says at once how it goes on
            if b"COMMIT" in sent and cut:
                _shut(near)
                if cut == "after":
                    _passed(far, sent)
                break
            if not _passed(far, sent):
                break
        _shut(far, socket.SHUT_WR)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        while (answer := _received(far)) and _passed(near, answer):
            continue


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(1 << 16)
    except OSError:
        return b""


def _passed(end: socket.socket, data: bytes) -> bool:
    try:
        end.sendall(data)
    except OSError:
        return False  # the other side was first
    return True


def _shut(end: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    try:
        end.shutdown(how)
    except OSError:
        end.close()
