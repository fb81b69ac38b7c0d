"""How two trees of text files differ: which files, which lines, and a unified diff where both texts are at hand."""

import difflib
from collections.abc import Callable, Iterator

from flyball.core.record import Record
from flyball.pipeline.manifest import Manifest

Blob = Callable[[str], bytes | None]  # SHA-256 in hex -> bytes


class Change(Record):
    text: str  # `model.py changed (lines 12-14)`
    detail: str = ""  # unified diff


def code_changes(before: Manifest, after: Manifest, blob: Blob) -> Iterator[Change]:
    """One change a file, in the order of the paths."""
    left, right = ({file.path: file.sha256 for file in side.files} for side in (before, after))
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            yield text_change(path, left.get(path), right.get(path), blob)


def text_change(path: str, before: str | None, after: str | None, blob: Blob) -> Change:
    """How one file changed. Args: before, after: SHA-256 in hex; None: there was no such file.

    >>> texts = {"a": b"one\\ntwo\\n", "b": b"one\\n2\\n"}
    >>> text_change("model.py", "a", "b", texts.get).text
    'model.py changed (line 2)'
    """
    old, new = (None if name is None else _text(blob(name)) for name in (before, after))
    detail = "" if (old is None and before) or (new is None and after) else _unified(path, old or "", new or "")
    if before is None:
        return Change(text=f"{path} added", detail=detail)
    if after is None:
        return Change(text=f"{path} removed", detail=detail)
    if old is None or new is None:
        return Change(text=f"{path} changed (its text is not here)")
    return Change(text=f"{path} changed ({_lines(old, new)})", detail=detail)


def _lines(old: str, new: str) -> str:
    """Where, by the line numbers of the new text; where lines only went, the line behind which they stood."""
    spans = []
    for kind, _, _, first, last in difflib.SequenceMatcher(
        None, old.splitlines(), new.splitlines(), autojunk=False
    ).get_opcodes():
        if kind == "delete":
            spans.append(f"after {first}" if first else "before 1")
        elif kind != "equal":
            spans.append(str(last) if last - first == 1 else f"{first + 1}-{last}")
    if not spans:
        return "line endings only"
    return f"line{'s' if len(spans) > 1 or '-' in spans[0] else ''} {', '.join(spans)}"


def _unified(path: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(lines)


def _text(data: bytes | None) -> str | None:
    """None where it is absent or no text."""
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None
