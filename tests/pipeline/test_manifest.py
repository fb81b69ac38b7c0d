from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import BadInput
from flyball.core.release import File
from flyball.pipeline.manifest import differences, entry, manifest, of_bytes

PARTS = {"part-0.csv": b"a,b\n1,2\n", "part-1.csv": b"a,b\n3,4\n"}
names = st.text(alphabet="abcé-_ü.0", min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))
contents = st.dictionaries(names, st.binary(max_size=20), min_size=1, max_size=6)


def test_the_published_vector() -> None:
    root = "1725c9adbfec50e20b122e0b3fa40b864baa62027a67bb50bf0b9a43be6f76ff"
    assert of_bytes(PARTS).root == f"sha256:{root}"


def test_renaming_files_makes_another_root() -> None:
    renamed = of_bytes({"x-0.csv": PARTS["part-0.csv"], "x-1.csv": PARTS["part-1.csv"]})
    assert renamed.root == "sha256:7252d5ace0afe6f53b05e86442d8013f964ceb3e062121e2e287e44634133c5c"


def test_names_are_case_exact_and_sorted_by_their_bytes() -> None:
    assert of_bytes({"A": b"1"}).root != of_bytes({"a": b"1"}).root
    assert [file.path for file in of_bytes({"a": b"", "é": b"", "Z": b"", "z": b""}).files] == ["Z", "a", "z", "é"]


@given(contents, st.randoms(use_true_random=False))
def test_the_order_in_which_files_are_found_does_not_matter(files: dict[str, bytes], random: Random) -> None:
    entries = list(of_bytes(files).files)
    random.shuffle(entries)
    assert manifest(entries) == of_bytes(files)


@given(contents, st.data())
def test_one_changed_byte_makes_another_root_and_is_named(files: dict[str, bytes], data: st.DataObject) -> None:
    before = of_bytes(files)
    path = data.draw(st.sampled_from([file.path for file in before.files]))
    name = next(key for key in files if entry(key, b"").path == path)
    after = of_bytes(files | {name: files[name] + b"\0"})
    assert after.root != before.root
    assert differences(before, after) == (f"{path} is changed",)


def test_accents_written_in_two_ways_are_one_path() -> None:
    assert of_bytes({"e\u0301.py": b""}).root == of_bytes({"\u00e9.py": b""}).root


def test_every_path_that_cannot_be_named_is_reported_at_once() -> None:
    bad = ["../up", "/abs", "a//b", "a/./b", "back\\slash", "e\u0301", ""]
    with pytest.raises(BadInput) as caught:
        manifest(File(path=path, size=0, sha256=sha256(b"").hexdigest()) for path in bad)
    assert len(caught.value.faults) == len(bad)


def test_a_path_stands_once() -> None:
    with pytest.raises(BadInput, match="each path once"):
        manifest([entry("a", b"1"), entry("a", b"2")])
