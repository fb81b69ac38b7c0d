"""Drafted services for tests that train them on a machine that others use, too."""

from pathlib import Path

_GATE = "  - metric: latency_p99_ms\n    max: 100\n"
_DEADLINE = "  deadline_ms: 1000 "


def untimed(file: Path) -> None:
    """Raises the drafted gate on the latency of a service file, and the deadline after which somebody else answers: a
    machine under load must not fail a test of words."""
    text = file.read_text()
    for drafted, limit in ((_GATE, "100"), (_DEADLINE, "1000")):
        assert drafted in text, text
        text = text.replace(drafted, drafted.replace(limit, "600000"))
    file.write_text(text)
