"""What the operator reads on standard error: one line a message, as text or as JSON with the request it belongs to.

A message never breaks into two lines, whatever a stranger put into a path or a name. The form is the process's, as its
standard error is; requests set `REQUEST` for what is said on their behalf.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Literal

import msgspec

from flyball.core.clock import timestamp

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="")


class Journal:
    """`write` is given whole lines. Where they go to a full disk, nobody can be told; whoever said them goes on."""

    def __init__(self, write: Callable[[str], object], now: Callable[[], datetime]) -> None:
        self._write, self._now = write, now
        self.form: Literal["text", "json"] = "text"

    def complain(self, message: str) -> None:
        """Something that the operator should know."""
        self.line("complaint", {"message": message}, text=f"gateway: {message}")

    def line(self, kind: str, fields: dict[str, Any], *, text: str) -> None:
        """One line; `text` is its other form.

        >>> from datetime import UTC, datetime
        >>> said = []
        >>> journal = Journal(said.append, lambda: datetime(2026, 11, 26, tzinfo=UTC))
        >>> journal.complain("a\\nb")
        >>> journal.form = "json"
        >>> journal.complain("a\\nb")
        >>> said[0], said[1].count("\\n"), msgspec.json.decode(said[1])["message"]
        ('gateway: a\\\\nb\\n', 1, 'a\\nb')
        """
        if self.form == "text":
            self._put("".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + "\n")
            return
        about = {"at": timestamp(self._now()), "kind": kind}
        if request := REQUEST.get():
            about["request_id"] = request
        self._put(msgspec.json.encode(about | fields).decode() + "\n")

    def _put(self, text: str) -> None:
        with suppress(OSError):
            self._write(text)
