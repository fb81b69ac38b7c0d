import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.pipeline.environment import Distribution, Lock, Locked, Platform, changes, drift, environment

HERE = Platform(os="linux", arch="x86_64", libc="glibc 2.36", implementation="cpython", python="3.11.2", abi="cp311")
NUMPY = Distribution(name="numpy", version="2.4.6", record="a" * 64)
POLARS = Distribution(name="polars", version="2.0.1", record="b" * 64)
LOCK = Lock(
    file="uv.lock",
    distributions=(
        Locked(name="numpy", version="2.4.6", artifacts=("1" * 64,)),
        Locked(name="polars", version="2.0.1", artifacts=("2" * 64, "3" * 64)),
    ),
)
IMAGE = "sha256:" + "4" * 64

distributions = st.lists(
    st.builds(
        Distribution,
        name=st.sampled_from(["numpy", "polars", "scipy", "lightgbm"]),
        version=st.sampled_from(["1.0", "2.0"]),
        record=st.sampled_from([None, "a" * 64, "b" * 64]),
    ),
    unique_by=lambda each: each.name,
).map(lambda found: tuple(sorted(found, key=lambda each: each.name)))


@given(distributions, distributions)
def test_two_installations_have_one_digest_exactly_when_nothing_can_be_said_of_a_difference(
    one: tuple[Distribution, ...], other: tuple[Distribution, ...]
) -> None:
    a, b = environment(HERE, one), environment(HERE, other)
    assert (a.name.digest == b.name.digest) == (one == other) == (changes(a, b) == ())


def test_the_best_evidence_names_the_environment_and_grades_it() -> None:
    plain = environment(HERE, (NUMPY, POLARS))
    locked = environment(HERE, (NUMPY, POLARS), lock=LOCK)
    image = environment(HERE, (NUMPY, POLARS), lock=LOCK, image=IMAGE)
    assert [(each.name.kind, each.grade) for each in (image, locked, plain)] == [
        ("oci", "B"),
        ("lock", "B"),
        ("installed", "C"),
    ]
    assert len({each.name.digest for each in (image, locked, plain)}) == 3


def test_under_a_lock_it_does_not_matter_who_installed() -> None:
    other = (replace(NUMPY, record="c" * 64), POLARS)
    assert environment(HERE, other, lock=LOCK).name == environment(HERE, (NUMPY, POLARS), lock=LOCK).name
    assert environment(HERE, other).name != environment(HERE, (NUMPY, POLARS)).name


def test_what_is_installed_into_a_running_container_is_seen() -> None:
    clean = environment(HERE, (NUMPY,), image=IMAGE)
    assert environment(HERE, (NUMPY, POLARS), image=IMAGE).name != clean.name


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ((NUMPY, replace(POLARS, version="2.1.0")), "polars 2.1.0 is installed, uv.lock pins 2.0.1"),
        ((NUMPY,), "polars 2.0.1 of uv.lock is not installed"),
        (
            (NUMPY, POLARS, Distribution(name="scipy", version="1.0", record=None)),
            "scipy 1.0 is installed, uv.lock does not name it",
        ),
    ],
)
def test_an_installation_that_drifted_from_its_lock_is_downgraded_and_told(
    installed: tuple[Distribution, ...], words: str
) -> None:
    found = environment(HERE, installed, lock=LOCK)
    assert (found.name.kind, found.grade, found.drift) == ("installed", "C", (words,))
    assert "drifted from uv.lock" in found.reason
    assert found.name == environment(HERE, installed).name


def test_what_a_fresh_environment_brings_by_itself_is_no_drift() -> None:
    pip = Distribution(name="pip", version="26.0", record=None)
    assert environment(HERE, (NUMPY, pip, POLARS), lock=LOCK).name == environment(HERE, (NUMPY, POLARS), lock=LOCK).name


def test_a_pin_without_a_hash_locks_nothing() -> None:
    loose = replace(LOCK, distributions=(LOCK.distributions[0], Locked(name="polars", version="2.0.1", artifacts=())))
    assert drift(loose, (NUMPY, POLARS)) == ("polars 2.0.1 has no hash in uv.lock",)


def test_a_pin_with_a_marker_need_not_be_installed() -> None:
    assert drift(replace(LOCK, conditional=("polars",)), (NUMPY,)) == ()


def test_differences_are_told_in_words() -> None:
    before = environment(HERE, (NUMPY, POLARS))
    after = environment(
        replace(HERE, python="3.12.1"),
        (replace(NUMPY, record="c" * 64), replace(POLARS, version="2.1.0")),
    )
    assert changes(before, after) == (
        "python 3.11.2 -> 3.12.1",
        "numpy 2.4.6: other files under the same version",
        "polars 2.0.1 -> 2.1.0",
    )
    assert changes(environment(HERE, (NUMPY,), image=IMAGE), environment(HERE, (NUMPY,))) == (f"image {IMAGE} -> none",)
