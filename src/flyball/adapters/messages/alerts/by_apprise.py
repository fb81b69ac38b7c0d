"""Notices through Apprise, to whatever service it knows by a URL. Extra: `apprise`.

It says whether a message was taken and no more, has no key by which a service would know a message that comes twice,
and no notion of one that ends: so an alert is a message when it is raised, when it is taken, and when it is over.
"""

import apprise

from flyball.adapters.messages.alerts.words import lines, notice_of
from flyball.core.errors import Unavailable
from flyball.core.ledger import Message
from flyball.core.notice import Notice
from flyball.core.outbox import Answer


class AppriseSender:
    """Sends, and blocks while it does. Raises: Unavailable: Apprise knows no service by such a URL."""

    def __init__(self, url: str) -> None:
        self._found = apprise.Apprise()
        if not self._found.add(url) or not len(self._found):
            raise Unavailable("Apprise knows no service by this URL")  # which is never shown: it holds a secret
        self._name = ", ".join(str(each.service_name) for each in self._found)

    def send(self, message: Message) -> Answer:
        notice = notice_of(message.body)
        taken = self._found.notify(
            title=notice.title,
            body="\n".join(lines(notice)),
            notify_type=_type(notice),
            body_format=apprise.NotifyFormat.TEXT,
        )
        if taken:
            return Answer(ok=True, status=f"{self._name} took it")
        return Answer(ok=False, status=f"{self._name} did not take it")


def _type(notice: Notice) -> apprise.NotifyType:
    if notice.event in ("acked", "resolved"):
        return apprise.NotifyType.SUCCESS
    return apprise.NotifyType.FAILURE if notice.urgency == "page" else apprise.NotifyType.WARNING
