"""Drafted services for tests that train them on a machine that others use, too."""

from pathlib import Path

_DRAFTED = "  - metric: latency_p99_ms\n    max: 100\n"


def untimed(file: Path) -> None:
    """Raises the drafted gate on the latency of a service file: a machine under load must not fail a test of words."""
    text = file.read_text()
    assert _DRAFTED in text, text
    file.write_text(text.replace(_DRAFTED, _DRAFTED.replace("100", "600000")))
