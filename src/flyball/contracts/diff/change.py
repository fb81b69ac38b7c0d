"""One difference between two versions of a contract, and what it means for those who rely on it."""

from typing import Any, Literal

from flyball.contracts.diff.semver import Bump
from flyball.core.record import Record

What = Literal["added", "removed", "tightened", "loosened", "changed"]
WIDTH = 60  # characters of a value in words


class Change(Record):
    """What changed at one place.

    `backward` and `forward` are about data: what kept the one version keeps the other. `bump` is about people: who
    relies on a column that is removed is broken, though the data of old are still valid.
    """

    path: str  # `t.amount.range`, `t.quality.ids`, `slaProperties.latency`
    what: What
    bump: Bump  # the part of the version that has to rise
    reason: str
    old: str
    new: str
    backward: bool  # data that keep the old version keep the new one
    forward: bool  # data that keep the new version keep the old one

    @property
    def breaking(self) -> bool:
        return self.bump == "major"

    def document(self) -> dict[str, Any]:
        """For `--json`: the fields, and the class in one word."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {"path": self.path, "breaking": self.breaking} | fields


def promise(
    path: str, old: Any, new: Any, *, backward: bool, forward: bool, tighter: str, looser: str, neither: str = ""
) -> list[Change]:
    """A promise that data can keep or break, before and after; nothing where both allow the same.

    >>> [(c.what, c.bump) for c in promise("a", 1, 2, backward=False, forward=True, tighter="less", looser="more")]
    [('tightened', 'major')]
    """
    if backward and forward:
        return []
    what: What = "loosened" if backward else "tightened" if forward else "changed"
    reason = looser if backward else tighter if forward else neither or tighter
    return [
        Change(
            path=path,
            what=what,
            bump="minor" if backward else "major",
            reason=reason,
            old=shown(old),
            new=shown(new),
            backward=backward,
            forward=forward,
        )
    ]


def plain(
    path: str, old: Any, new: Any, bump: Bump, reason: str, *, backward: bool = True, forward: bool = True
) -> list[Change]:
    """A value that is compared as it is written; nothing where it is the same."""
    if old == new:
        return []
    what: What = "added" if old is None else "removed" if new is None else "changed"
    return [
        Change(
            path=path,
            what=what,
            bump=bump,
            reason=reason,
            old=shown(old),
            new=shown(new),
            backward=backward,
            forward=forward,
        )
    ]


def shown(value: Any) -> str:
    """A value in a few words.

    >>> shown(None), shown((1, "a")), shown(2.0), shown(True)
    ('nothing', '1, a', '2', 'true')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case list() | tuple():
            text = ", ".join(shown(item) for item in value)
        case dict():
            text = ", ".join(f"{name}: {shown(item)}" for name, item in value.items())
        case _:
            text = " ".join(str(value).split())
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."
