import pytest

from flyball.pipeline.features_version import features_version

CODE = {
    "model.py": b"from cols import features\ndef train(): ...\n",
    "cols.py": b"import lib.words\ndef features(frame): return lib.words.clean(frame)\n",
    "lib/words.py": b"from . import table\ndef clean(frame): return frame\n",
    "lib/table.py": b"X = 1\n",
    "fit.py": b"Y = 1\n",
}


@pytest.mark.parametrize(("file", "moves"), [("cols.py", True), ("lib/words.py", True), ("lib/table.py", True)])
def test_a_change_of_what_features_reach_is_another_version(file: str, moves: bool) -> None:
    changed = CODE | {file: CODE[file] + b"# changed\n"}
    assert (features_version(changed, "model.py") != features_version(CODE, "model.py")) is moves


@pytest.mark.parametrize("file", ["model.py", "fit.py"])
def test_a_change_of_the_training_code_alone_is_not(file: str) -> None:
    changed = CODE | {file: CODE[file] + b"# changed\n"}
    assert features_version(changed, "model.py") == features_version(CODE, "model.py")


def test_where_both_share_a_file_a_change_of_it_counts() -> None:
    one = {"model.py": b"def features(frame): return frame\ndef train(): return 1\n"}
    other = {"model.py": b"def features(frame): return frame\ndef train(): return 2\n"}
    assert features_version(one, "model.py") != features_version(other, "model.py")


def test_a_table_that_features_may_read_counts_too() -> None:
    assert features_version(CODE | {"words.csv": b"a"}, "model.py") != features_version(CODE, "model.py")


def test_columns_as_they_are_have_a_version_of_their_own() -> None:
    plain = features_version({"model.py": b"def train(): ...\n"}, "model.py")
    assert plain.kind == "plain"
    assert plain == features_version({"model.py": b"def train(): return 2\n"}, "model.py")


def test_imports_in_a_ring_end() -> None:
    ring = {"model.py": b"from a import features", "a.py": b"from b import features", "b.py": b"from a import features"}
    assert features_version(ring, "model.py").kind == "function"
