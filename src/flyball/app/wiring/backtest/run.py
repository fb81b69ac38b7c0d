"""A backtest put together: the record is read once, each policy is driven through it, and the lines are counted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path

from msgspec.structs import replace

from flyball.app.backtest.course import Course
from flyball.app.backtest.exposure import bad_spans
from flyball.app.backtest.past import Past, past
from flyball.app.backtest.policies import Policy, changed_settings, is_judged, is_whole, policies
from flyball.app.backtest.rejudged import Rejudge, needs_rows
from flyball.app.backtest.report import Backtest, HistoryKind, line
from flyball.app.backtest.rollouts import by_labels_of_arms
from flyball.app.backtest.sweep import Sweep
from flyball.app.backtest.truth import row_at, rows_of, truth
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.asking.declarations import declaration
from flyball.app.wiring.asking.windows import between
from flyball.app.wiring.backtest.alone import LogAlone
from flyball.app.wiring.backtest.driving import Driver, Tick
from flyball.app.wiring.backtest.from_rows import RowHistory
from flyball.app.wiring.backtest.from_windows import Repeated, ticks
from flyball.app.wiring.backtest.places import Place
from flyball.app.wiring.ledger import open_ledger
from flyball.control.reconcile.sensing import Watching
from flyball.core.clock import moment
from flyball.core.errors import BadInput, Fault, NotFound, Unavailable
from flyball.core.seen_windows import SeenWindow
from flyball.core.service import Service

WITHIN_WINDOWS = 10  # an alarm so many recorded windows after a change still tells of it, unless said otherwise
Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `flyball backtest` was asked."""

    files: tuple[Path, ...]
    sweeps: tuple[Sweep, ...]
    changes: tuple[str, ...]  # rows and times
    within_rows: int | None  # None: WITHIN_WINDOWS


def on_history(place: Place, name: str | None, asked: Asked, advance: Advance) -> Backtest:
    """Policies on what a home has recorded; on the rows of its log where these are named or a setting needs them.

    Raises: NotFound: no such service. BadInput: faulty policies or changes. Unavailable: nothing was recorded.
    """
    if place.alone:
        return _on_log(Path(place.home), asked, advance)
    home = Home(Path(place.home))
    with closing(open_ledger(home, told=False)) as ledger:
        entries = list(ledger.read())
        known = sorted({entry.subject for entry in entries if entry.type == "service.declared"})
        service = _named(place.service or name, known)
        recorded = declaration(ledger, service)
    told = policies(recorded, asked.files, asked.sweeps)
    windows = between(home, service)
    changed = {policy.name: changed_settings(recorded, policy.service) for policy in told}
    rows = RowHistory.of(home, service, entries)
    wanted = (
        place.rows
        or not windows
        or any(needs_rows(setting) for settings in changed.values() for setting in settings)
        or any(by_labels_of_arms(policy.service, recorded) for policy in told)
    )
    by_rows = rows is not None and wanted
    if not by_rows and (place.rows or not windows):
        raise Unavailable(
            f"{service}: neither windows nor rows are on record, so there is nothing to judge",
            hint="a running `flyball up` writes both down; `flyball replay --home HOME` writes windows down",
        )
    kind: HistoryKind = "rows" if by_rows else "windows"
    run = Run(service=service, recorded=recorded, past=past(service, entries), kind=kind)
    if by_rows:
        assert rows is not None
        run, source = replaced(run, row_s=rows.row_s), rows
        return run.backtest(told, asked, lambda policy: (source.watching(policy), source.ticks(), lambda: 0), advance)
    return run.backtest(told, asked, of_windows(service, recorded, windows), advance)


def _on_log(folder: Path, asked: Asked, advance: Advance) -> Backtest:
    """Of a log without a ledger: the first whole service.yaml says what was declared."""
    whole = next((file for file in asked.files if is_whole(file)), None)
    if whole is None:
        fault = Fault(
            where="command line",
            path="POLICY",
            expected="a service's folder or whole service.yaml: a log without a ledger does not say what was declared",
            found=", ".join(map(str, asked.files)) or "none",
        )
        raise BadInput("The log stands alone.", (fault,))
    log = LogAlone(folder, load(whole))
    declared = log.declared.service
    others = [file for file in asked.files if file != whole]
    told = policies(declared, others, asked.sweeps, first=log.name)
    record = Past(service=log.name, entries=log.entries())
    run = Run(service=log.name, recorded=declared, past=record, kind="rows", row_s=log.row_s)
    found = run.backtest(told, asked, lambda policy: (log.watching(policy), log.ticks(), lambda: 0), advance)
    return replace(found, notes=(log.note(), *found.notes))


Source = Callable[[Service], tuple[Watching, Iterator[Tick], Callable[[], int]]]


def of_windows(service: str, recorded: Service, windows: Sequence[SeenWindow]) -> Source:
    def source(policy: Service) -> tuple[Watching, Iterator[Tick], Callable[[], int]]:
        rejudge = Rejudge(recorded.monitor, policy.monitor)
        return Repeated(windows, rejudge), ticks(service, windows), lambda: rejudge.guessed

    return source


@dataclass(frozen=True, kw_only=True)
class Run:
    """One record, and all policies on it."""

    service: str
    recorded: Service
    past: Past
    kind: HistoryKind
    row_s: float = 0.0  # what a row takes; 0: the first course tells it, and is then run once more

    def backtest(self, told: Sequence[Policy], asked: Asked, source: Source, advance: Advance) -> Backtest:
        """Drive each policy; the first one's windows say what is true."""
        courses = list[Course]()
        marks: list[tuple[int, float]] = []
        changed = [changed_settings(self.recorded, policy.service) for policy in told]
        unseen = [tuple(one for one in each if self._unseen(one)) for each in changed]
        row_s = self.row_s
        for policy, hidden in zip(told, unseen, strict=True):
            course, found = self._course(self._judgeable(policy.service, hidden), source, row_s)
            if not courses:
                marks, row_s = found, self.row_s or _row_s(found)
                if row_s != self.row_s and self.past.tickets:  # how long a window takes says which decisions are alike
                    course, _ = self._course(policy.service, source, row_s)
            courses.append(course)
            advance(1)
        within = asked.within_rows
        if within is None:
            within = WITHIN_WINDOWS * self.recorded.monitor.window_rows
        first, last = courses[0].first_row, courses[0].last_row
        known = truth(_rows(asked.changes, marks), self.past, within_rows=within, first_row=first, last_row=last)
        bad = bad_spans(courses[0].reports, self.recorded.monitor.live_metric)
        lines = tuple(
            line(
                policy,
                course,
                recorded=self.recorded,
                past=self.past,
                known=known,
                bad=bad,
                changed=settings,
                not_judged=hidden,
                row_at=lambda at: row_at(moment(at).timestamp(), marks),
            )
            for policy, course, settings, hidden in zip(told, courses, changed, unseen, strict=True)
        )
        return Backtest(
            service=self.service,
            history=self.kind,
            first_row=first,
            last_row=last,
            window_rows=self.recorded.monitor.window_rows,
            truth=known,
            policies=lines,
            notes=self._notes(courses[0]),
        )

    def _course(self, policy: Service, source: Source, row_s: float) -> tuple[Course, list[tuple[int, float]]]:
        watching, course_of_ticks, guessed = source(policy)
        window_s, by_rows = row_s * self.recorded.monitor.window_rows, self.kind == "rows"
        driver = Driver(policy, self.past, watching, window_s=window_s, by_rows=by_rows)
        marks: list[tuple[int, float]] = []
        for tick in course_of_ticks:
            pane = tick.segment.pane
            if not marks:
                marks.append((min(pane.first_row, pane.last_row), pane.start))
            marks.append((pane.last_row, pane.end))
            driver.tick(tick)
        if not marks:
            raise Unavailable(f"{self.service}: nothing is on record")
        course = driver.course(guessed=guessed())
        first = min([report.first_row for report in course.reports] or [marks[0][0]])
        return replace(course, first_row=first, first_at=marks[0][1], last_at=marks[-1][1]), marks

    def _unseen(self, setting: str) -> bool:
        return not is_judged(setting) or (self.kind == "windows" and needs_rows(setting))

    def _judgeable(self, policy: Service, hidden: tuple[str, ...]) -> Service:
        """With the recorded value of what this history cannot show, and of what no backtest judges."""
        policy = replace(policy, policy=self.recorded.policy)
        if not any(is_judged(one) for one in hidden):
            return policy
        before, now = self.recorded.monitor, policy.monitor
        live = now.live_metric
        if any(one.startswith("monitor.live_metric") for one in hidden):
            live = before.live_metric
        retrain = replace(before.detector, retrain=now.detector.retrain)
        quality = replace(before.quality, settle_windows=now.quality.settle_windows)
        kept = replace(before, psi=now.psi, live_metric=live, detector=retrain, quality=quality)
        return replace(policy, monitor=kept)

    def _notes(self, recorded: Course) -> tuple[str, ...]:
        if recorded.left is None:
            return ()
        return (
            f"the recorded declaration does not meet its own record at row {recorded.left.row} ({recorded.left.why}): "
            "it was another one then, or a person acted",
        )


def _rows(texts: Sequence[str], marks: Sequence[tuple[int, float]]) -> list[int]:
    found, faulty = rows_of(texts, marks)
    if faulty:
        expected = "a stream position, or a time such as 2026-11-26T12:00:00Z"
        faults = [Fault(where="command line", path="--changes", expected=expected, found=text) for text in faulty]
        raise BadInput("The changes are faulty.", tuple(faults))
    return found


def _row_s(marks: Sequence[tuple[int, float]]) -> float:
    rows = marks[-1][0] - marks[0][0]
    return (marks[-1][1] - marks[0][1]) / rows if rows > 0 else 0.0


def _named(name: str | None, known: Sequence[str]) -> str:
    """Raises: NotFound: none is called so. BadInput: there are several, and none is named."""
    if name is not None and name in known:
        return name
    if name is None and len(known) == 1:
        return known[0]
    if not known or name is not None:
        raise NotFound(f"no service {name or ''} on this ledger".replace("  ", " "), hint=", ".join(known))
    fault = Fault(
        where="command line",
        path="--service",
        expected=f"one of {', '.join(known)}",
        found="none named",
        fix="name it",
    )
    raise BadInput(f"The home has {len(known)} services.", (fault,))
