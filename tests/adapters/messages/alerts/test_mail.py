"""Mails to a real mail server on loopback: a thread an alert, a password only over TLS, refusals told apart."""

import asyncio
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.adapters.messages.alerts.notices import message

from flyball.adapters.messages.alerts.mail import Mailer


class Box:
    """Keeps what comes; `refuse`: what it says to a recipient."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuse = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: object
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, str]]:
    kept, loop, stop = Box(), asyncio.new_event_loop(), asyncio.Event()
    ready, address = threading.Event(), []

    async def serve() -> None:
        server = await loop.create_server(lambda: SMTP(kept, hostname="localhost", loop=loop), "127.0.0.1", 0)
        address.append(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        ready.set()
        async with server:
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    try:
        yield kept, address[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def mailer(server: str, to: str = "ops@example.org", user: str | None = None, password: str | None = None) -> Mailer:
    return Mailer(to, server=server, sender="flyball@example.org", user=user, password=password)


def test_an_alert_is_one_thread_of_mails(box: tuple[Box, str]) -> None:
    kept, server = box
    for each in (message(), message("acked", by="eve"), message("resolved", why="it is over"), message()):
        assert mailer(server).send(each).status == "accepted for ops@example.org"
    first, taken, over, again = kept.mails
    assert first["Subject"].startswith("ErrorsHigh of fraud")
    assert (first["Importance"], first["Auto-Submitted"]) == ("high", "auto-generated")
    assert taken["In-Reply-To"] == over["References"] == first["Message-ID"]
    assert again["Message-ID"] == first["Message-ID"]  # by which a mail program knows what came twice
    assert len({first["Message-ID"], taken["Message-ID"], over["Message-ID"]}) == 3
    assert "https://runbooks.example/bad-rollout.md" in first.get_content()  # type: ignore[attr-defined]


def test_a_mail_to_on_call_goes_to_those_it_is_for_who_have_an_address(box: tuple[Box, str]) -> None:
    kept, server = box
    assert mailer(server, to="on_call").send(message()).ok
    assert kept.mails[0]["To"] == "bob@example.org"
    nobody = mailer(server, to="on_call").send(message(to=("ada",)))
    assert (nobody.ok, nobody.status) == (True, "nobody whom it is for has an address")
    assert len(kept.mails) == 1


def test_a_summary_with_a_line_break_makes_no_header_of_its_own(box: tuple[Box, str]) -> None:
    kept, server = box
    assert mailer(server).send(message(summary="bad\r\nBcc: everybody@example.org")).ok
    assert kept.mails[0]["Bcc"] is None


def test_a_refusal_for_good_is_told_from_one_for_now(box: tuple[Box, str]) -> None:
    kept, server = box
    kept.refuse = "550 no such mailbox"
    assert mailer(server).send(message()).final
    kept.refuse = "451 try later"
    later = mailer(server).send(message())
    assert (later.ok, later.final, later.status) == (False, False, "SMTP 451 try later")


def test_a_password_is_not_said_to_a_server_without_tls(box: tuple[Box, str]) -> None:
    answer = mailer(box[1], user="flyball", password="hunter2").send(message())
    assert not answer.ok
    assert "the password is not sent" in answer.status
    assert box[0].mails == []


def test_no_server_is_an_answer_and_no_exception() -> None:
    answer = mailer("127.0.0.1:1").send(message())
    assert (answer.ok, answer.final) == (False, False)
