"""Mails to a real mail server on loopback: a thread an alert, a password only over TLS, refusals told apart."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.adapters.messages.alerts.notices import message
from tests.loopback import beside

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


@contextmanager
def serving(kept: Box, **options: Any) -> Iterator[str]:
    """The address of a mail server that keeps what comes."""
    with beside(mail_server(kept, **options)) as address:
        yield address


@asynccontextmanager
async def mail_server(kept: Box, **options: Any) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, hostname="localhost", loop=loop, **options), "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def box() -> Iterator[tuple[Box, str]]:
    kept = Box()
    with serving(kept) as address:
        yield kept, address


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


def certificate(folder: Path) -> Path:
    """A certificate of its own for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


def test_a_password_is_said_over_tls_to_a_server_that_proves_its_name_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    said: list[LoginPassword] = []

    def authenticated(_: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        said.append(data)
        return AuthResult(success=data.password == b"hunter2", handled=False)

    kept = Box()
    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticated}
    with serving(kept, **options) as server:
        doubted = mailer(server, user="flyball", password="hunter2").send(message())
        assert "CERTIFICATE_VERIFY_FAILED" in doubted.status
        assert said == []
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert mailer(server, user="flyball", password="hunter2").send(message()).ok
        wrong = mailer(server, user="flyball", password="guess").send(message())
    assert len(kept.mails) == 1
    assert (wrong.ok, wrong.final, wrong.status[:8]) == (False, False, "SMTP 535")
