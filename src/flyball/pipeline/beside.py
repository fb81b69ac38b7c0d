"""Code that a training can import from outside the service's folder and of what installers recorded, file by file."""

from collections.abc import Iterator, Sequence

from flyball.core.ids import Digest
from flyball.core.record import Record
from flyball.core.release import File, Grade
from flyball.pipeline.manifest import differences, manifest


class Beside(Record):
    """A folder of PYTHONPATH, or the source tree of an editable installation."""

    name: str  # of the folder or the distribution, for people: not hashed, since a folder may be moved
    files: tuple[File, ...]
    whole: bool = True  # False: there is more than is read


def named(found: Sequence[Beside]) -> tuple[tuple[Digest, bool], ...]:
    """What is hashed of each, in the order of imports: which of two modules of one name is meant depends on it."""
    return tuple((manifest(each.files).root, each.whole) for each in found)


def graded(grade: Grade, found: Sequence[Beside]) -> tuple[Grade, str]:
    """The grade with that code beside it, and why.

    >>> graded("B", (Beside(name="lib", files=()),))
    ('B', 'code of lib beside it is hashed, 0 files')
    >>> graded("B", (Beside(name="lib", files=(), whole=False),))
    ('D', 'downgraded: lib is too large, only its first 0 files are hashed')
    """
    partly = [each for each in found if not each.whole]
    if partly:
        told = ", ".join(
            f"{each.name} is too large, only its first {len(each.files)} files are hashed" for each in partly
        )
        return "D", f"downgraded: {told}"
    names = ", ".join(each.name for each in found)
    return grade, f"code of {names} beside it is hashed, {sum(len(each.files) for each in found)} files"


def changes(before: Sequence[Beside], after: Sequence[Beside]) -> Iterator[str]:
    """What differs, a sentence a file; folders are compared in their order."""
    for place in range(max(len(before), len(after))):
        one = before[place] if place < len(before) else Beside(name=after[place].name, files=())
        other = after[place] if place < len(after) else Beside(name=one.name, files=())
        name = one.name if one.name == other.name else f"{one.name} -> {other.name}"
        for words in differences(manifest(one.files), manifest(other.files)):
            yield f"code beside it, {name}: {words}"
