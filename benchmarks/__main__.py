"""Runs every benchmark in turn: `python -m benchmarks [NAME...]`. One is a file here whose `main()` prints figures."""

import importlib
import sys
import traceback
from pathlib import Path


def main(wanted: list[str]) -> int:
    """Exit code 1 if a benchmark raised, 2 if one is not known; the others run all the same."""
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    if unknown := sorted(set(wanted) - set(known)):
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted or known:
        print(f"\n== {name}", flush=True)
        try:
            importlib.import_module(f"benchmarks.{name}").main()
        except Exception:
            traceback.print_exc()
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
