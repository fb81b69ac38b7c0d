"""The same canary under the documented threshold rule and under ours: the golden stories of the tests, at more runs.

`python -m benchmarks head_to_head` prints; `python benchmarks/head_to_head.py --write` renews the golden files.
"""

import sys
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "tests" / "scenarios" / "golden"
RUNS = 400


def main() -> None:
    """Print every story, the first with more runs than in the tests."""
    from tests.scenarios.stories import STORIES, nine_times_worse, sticky_units

    longer = {"nine_times_worse": lambda: nine_times_worse(RUNS), "sticky_units": lambda: sticky_units(20_000)}
    for name, story in (STORIES | longer).items():
        print(f"\n-- {name}")
        print("\n".join(story()))


def write() -> None:
    from tests.scenarios.stories import STORIES

    for name, story in STORIES.items():
        (GOLDEN / f"{name}.txt").write_text("\n".join(story()) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    write() if sys.argv[1:] == ["--write"] else main()
