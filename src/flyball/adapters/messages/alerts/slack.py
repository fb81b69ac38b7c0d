"""Notices as messages of Slack's incoming webhooks: text for notifications, blocks for the channel.

Source: docs.slack.dev, "Sending messages using incoming webhooks" (`text`, `blocks`) and the Block Kit reference:
a header's plain text has at most 150 characters, a section's mrkdwn 3,000; `&`, `<` and `>` are written as entities.
"""

from typing import Any

from flyball.adapters.messages.alerts.words import lines
from flyball.core.notice import Notice

HEADER, SECTION = 150, 3000  # characters
MARKS = {
    "raised": ":rotating_light:",
    "escalated": ":rotating_light:",
    "acked": ":eyes:",
    "resolved": ":white_check_mark:",
}


def message(notice: Notice) -> dict[str, Any]:
    """One message."""
    mark = ":memo:" if notice.event == "raised" and notice.urgency == "ticket" else MARKS[notice.event]
    said = escaped("\n".join(lines(notice)))
    return {
        "text": escaped(notice.title),
        "blocks": [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": f"{mark} {notice.title}"[:HEADER], "emoji": True},
            },
            {"type": "section", "text": {"type": "mrkdwn", "text": _cut(said, SECTION)}},
        ],
    }


def escaped(text: str) -> str:
    """Nothing that a fact says is a link, a mention or a channel there.

    >>> escaped("a <!channel> & b")
    'a &lt;!channel&gt; &amp; b'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    """Not inside an entity."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    begun = kept.rfind("&", len(kept) - 5)
    return (kept if begun < 0 or ";" in kept[begun:] else kept[:begun]) + "…"
