from pathlib import Path

import pytest

from flyball.core.errors import BadInput
from flyball.pipeline.environment import Distribution, drift
from flyball.pipeline.locks import parse_lock

A, B = "a" * 64, "b" * 64
REQUIREMENTS = f"""\
# written by a tool
numpy==2.4.6 \\
    --hash=sha256:{B} \\
    --hash=sha256:{A}
    # via polars
Typing_Extensions[x] == 4.15.0 ; python_version < '3.13' --hash=sha256:{A}
"""
PYLOCK = f"""\
lock-version = "1.0"
[[packages]]
name = "numpy"
version = "2.4.6"
wheels = [{{url = "https://example.org/a.whl", hashes = {{sha256 = "{A}"}}}}]
sdist = {{url = "https://example.org/a.tar.gz", hashes = {{sha256 = "{B}"}}}}
[[packages]]
name = "typing-extensions"
version = "4.15.0"
marker = "python_version < '3.13'"
wheels = [{{url = "https://example.org/t.whl", hashes = {{sha256 = "{A}"}}}}]
"""
UV = f"""\
version = 1
[[package]]
name = "mine"
version = "0.1.0"
source = {{ editable = "." }}
[[package]]
name = "numpy"
version = "2.4.6"
source = {{ registry = "https://example.org/simple" }}
sdist = {{ url = "https://example.org/a.tar.gz", hash = "sha256:{B}", size = 1 }}
wheels = [{{ url = "https://example.org/a.whl", hash = "sha256:{A}", size = 1 }}]
[[package]]
name = "typing-extensions"
version = "4.15.0"
source = {{ registry = "https://example.org/simple" }}
wheels = [{{ url = "https://example.org/t.whl", hash = "sha256:{A}", size = 1 }}]
"""


@pytest.mark.parametrize(
    ("file", "text", "conditional"),
    [
        ("requirements.txt", REQUIREMENTS, ("typing-extensions",)),
        ("pylock.toml", PYLOCK, ("typing-extensions",)),
        ("uv.lock", UV, ("numpy", "typing-extensions")),
    ],
)
def test_the_three_formats_say_the_same(file: str, text: str, conditional: tuple[str, ...]) -> None:
    lock = parse_lock(text, file=file)
    assert lock is not None
    assert [(each.name, each.version, each.artifacts) for each in lock.distributions] == [
        ("numpy", "2.4.6", (A, B)),
        ("typing-extensions", "4.15.0", (A,)),
    ]
    assert lock.conditional == conditional


def test_a_name_pinned_twice_for_two_platforms_may_have_either_version() -> None:
    text = f"numpy==1.0 ; sys_platform == 'x' --hash=sha256:{A}\nnumpy==2.0 --hash=sha256:{A}"
    lock = parse_lock(text, file="requirements.txt")
    assert lock is not None
    for version, kept in (("1.0", True), ("2.0", True), ("3.0", False)):
        assert (drift(lock, [Distribution(name="numpy", version=version, record=None)]) == ()) is kept


@pytest.mark.parametrize("file", ["pylock.toml", "uv.lock"])
def test_a_file_that_is_no_lock_is_bad_input(file: str) -> None:
    with pytest.raises(BadInput, match=file):
        parse_lock("[[package", file=file)


def test_our_own_locks_are_read() -> None:
    text = (Path(__file__).parents[2] / "requirements" / "dev.txt").read_text()
    lock = parse_lock(text, file="dev.txt")
    assert lock is not None
    pins = {line.split()[0] for line in text.splitlines() if line[:1].isalnum()}
    assert len(lock.distributions) == len(pins)
    assert all(each.artifacts for each in lock.distributions)
