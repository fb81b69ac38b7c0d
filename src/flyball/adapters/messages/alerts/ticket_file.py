"""Notices as tickets in a folder: one Markdown file an alert, which grows by a paragraph with each that happens."""

import os
from pathlib import Path

from flyball.adapters.messages.alerts.words import lines, notice_of
from flyball.core.ledger import Message
from flyball.core.notice import Notice
from flyball.core.outbox import Answer


class TicketFiles:
    """Written beside and put in place, so a ticket is whole whenever somebody reads it. What is in it is not added
    again. What people write between the paragraphs stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> Answer:
        notice = notice_of(message.body)
        path = self._folder / f"{notice.service}-{notice.alert}.md"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            before = path.read_text() if path.exists() else ""
            if marker(notice.id) in before:
                return Answer(ok=True, status=f"{path.name} has it")
            _put(path, (before + "\n" if before else "") + paragraph(notice))
        except OSError as error:
            return Answer(ok=False, status=f"{type(error).__name__}: {error.strerror}")
        return Answer(ok=True, status=path.name)


def paragraph(notice: Notice) -> str:
    """The title of a new ticket is its first heading."""
    heading = f"# {notice.title}" if notice.event == "raised" else f"## {notice.at}: {notice.title}"
    return "\n\n".join([heading, *lines(notice), marker(notice.id)]) + "\n"


def marker(id_: str) -> str:
    """What shows that a message is in a text of ours; no reader of Markdown sees it."""
    return f"<!-- flyball {id_} -->"


def _put(path: Path, text: str) -> None:
    """All or nothing, and on the disk."""
    beside = path.with_suffix(".part")
    with open(beside, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
