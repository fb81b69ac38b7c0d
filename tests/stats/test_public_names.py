"""The public surface of stats: few names, sorted, each of which exists, and cheap to reach."""

import subprocess
import sys

from flyball import stats


def test_every_public_name_exists_and_is_documented() -> None:
    for name in stats.__all__:
        assert getattr(stats, name).__doc__, name


def test_the_names_are_sorted_and_each_has_one_home() -> None:
    assert sorted(stats.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == stats.__all__
    assert sorted(name for names in stats._HOMES.values() for name in names) == sorted(stats.__all__)


def test_an_unknown_name_is_refused_as_usual() -> None:
    assert not hasattr(stats, "nothing_like_this")


def test_a_merkle_tree_does_not_cost_the_import_of_scipy() -> None:
    program = "import sys, flyball.stats.merkle; sys.exit('numpy' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
