"""Notices as e-mails over SMTP: one thread an alert, and the same message however often it is sent.

A mail that comes twice carries the same `Message-ID` (RFC 5322, section 3.6.4), by which mail programs know it. A
password is only ever said to a server that speaks TLS.
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from flyball.adapters.messages.alerts.words import notice_of, text
from flyball.core.clock import moment
from flyball.core.ledger import Message
from flyball.core.notice import Notice
from flyball.core.outbox import Answer

ON_CALL = "on_call"  # in place of an address: those whom the alert is for
SUBMISSION, TLS_FROM_THE_START = 587, 465
TIMEOUT_S = 10.0  # of each step


class Mailer:
    """Sends, and blocks while it does. To: an address, or `on_call`. Server: host, or host and port."""

    def __init__(self, to: str, *, server: str, sender: str, user: str | None, password: str | None) -> None:
        host, _, port = server.partition(":")
        self._to, self._sender, self._host, self._port = to, sender, host, int(port or SUBMISSION)
        self._user, self._password = user, password

    def send(self, message: Message) -> Answer:
        """Never raises for anything that a mail server or a network does."""
        notice = notice_of(message.body)
        to = [each for each in notice.to if "@" in each] if self._to == ON_CALL else [self._to]
        if not to:
            return Answer(ok=True, status="nobody whom it is for has an address")
        try:
            with self._connected() as server:
                server.send_message(mail(notice, to=to, sender=self._sender))
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _refused(code, said)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return Answer(ok=False, status=f"{type(error).__name__}: {error}"[:200])
        return Answer(ok=True, status=f"accepted for {', '.join(to)}")

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._port == TLS_FROM_THE_START:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
        try:
            server.ehlo()
            secure = self._port == TLS_FROM_THE_START
            if not secure and server.has_extn("starttls"):
                server.starttls(context=context)
                secure = True
            if self._user is not None and self._password is not None:
                if not secure:
                    raise smtplib.SMTPNotSupportedError("the server offers no TLS: the password is not sent")
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server


def mail(notice: Notice, *, to: list[str], sender: str) -> EmailMessage:
    """The mail: what comes after the first is an answer to it."""
    made = EmailMessage()
    made["Subject"] = " ".join(notice.title.split())
    made["From"], made["To"] = sender, ", ".join(to)
    made["Date"] = format_datetime(moment(notice.at))
    first = f"<{notice.alert}@{notice.service}.flyball.invalid>"
    made["Message-ID"] = first if notice.event == "raised" else f"<{notice.id}@{notice.service}.flyball.invalid>"
    if notice.event != "raised":
        made["In-Reply-To"] = made["References"] = first
    made["Auto-Submitted"] = "auto-generated"
    if notice.urgency == "page" and notice.event in ("raised", "escalated"):
        made["Importance"] = "high"
    made.set_content(text(notice))
    return made


def _refused(code: int, said: bytes | str) -> Answer:
    """A reply of 5yz is about the message, RFC 5321, section 4.2.1; those of a login and of TLS are about us."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return Answer(ok=False, status=f"SMTP {code} {words}"[:200], final=code // 100 == 5 and code not in (530, 534, 535))
