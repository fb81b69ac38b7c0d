"""What every test stands on: a home of its own, the data sets, and a closing line that names what was left out.

With `CI=true` nothing is skipped: a missing service, extra or data set fails the test that needs it.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

# Before any library is loaded that reads them. Threads that wait by spinning, in several processes on few cores, take
# each other's time: a file of boosted trees took four times as long. The programs under test inherit it.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() == "true"

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if IN_CI else "desk")

HOMES = count()
# these run in environments of their own
collect_ignore = ["clients/kserve_server.py", "clients/kserve_story.py", "clients/mlserver_model.py"]
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
SESSION_HOME = pytest.StashKey[str]()
SLOW_LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(autouse=True)
def home_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the state of another, nor of whoever runs the tests. The folder is made when used."""
    monkeypatch.setenv("FLYBALL_HOME", str(tmp_path_factory.getbasetemp() / f"home-{next(HOMES)}"))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: `FLYBALL_DATA`, else `../shared/data` seen from the repository root."""
    folder = Path(os.environ["FLYBALL_DATA"])
    if not folder.is_dir():
        pytest.skip("data sets are not there (FLYBALL_DATA)")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The folder of a real server's socket; started by the first test that needs one."""
    from tests import postgres

    with postgres.server() as folder:
        yield folder


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SLOW_LEFT_OUT] = 0
    config.stash[SESSION_HOME] = tempfile.mkdtemp(prefix="flyball-tests-")
    os.environ["FLYBALL_HOME"] = config.stash[SESSION_HOME]  # for fixtures wider than one test
    os.environ["FLYBALL_DATA"] = str((ROOT / os.environ.get("FLYBALL_DATA", "../shared/data")).resolve())


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[SESSION_HOME], ignore_errors=True)


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") is not None:
            item.config.stash[SLOW_LEFT_OUT] += 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of a parallel run has ended: each of them collects, and leaves out, the same tests."""
    slow = getattr(node, "workeroutput", {}).get("slow_left_out", 0)
    node.config.stash[SLOW_LEFT_OUT] = max(node.config.stash[SLOW_LEFT_OUT], slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _no_skip_in_ci(report) if not hasattr(report, "wasxfail") else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _no_skip_in_ci(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["slow_left_out"] = session.config.stash[SLOW_LEFT_OUT]
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        skipped = Counter(_reason(report) for report in reporter.stats.get("skipped", []))
        reporter.write_line(closing_line(session.config.stash[SLOW_LEFT_OUT], skipped))


def closing_line(slow: int, skipped: Counter[str]) -> str:
    """One line that names what a run left out.

    >>> closing_line(2, Counter({"curl is not there": 3}))
    'Left out: 2 slow (make test-slow), 3 because curl is not there'
    """
    parts = [f"{slow} slow (make test-slow)"] if slow else []
    parts += [f"{count} because {reason}" for reason, count in sorted(skipped.items())]
    return f"Left out: {', '.join(parts) or 'nothing'}"


def _no_skip_in_ci(report: Report) -> Report:
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"CI=true allows no skip: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
