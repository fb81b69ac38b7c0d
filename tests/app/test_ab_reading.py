"""An A/B test from a person's word to its report: a real gateway, a real ledger, the controller's loop between them."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.control.loop import Learner, Sensor
from tests.control.world import release
from tests.serving.parts import row
from tests.serving.stage import SERVICE, Stage, stage, until

from flyball.adapters.clock import SystemClock
from flyball.adapters.messages import gateway_socket
from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.app.ab_tests import start, stop
from flyball.app.ab_words import arms_of
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.people import Person
from flyball.app.wiring.asking.ab_reading import AbTest, read
from flyball.app.wiring.ledger import ledger_of
from flyball.control.reconcile import Reconciler
from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.ids import ReleaseRoot, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.policy import policy_digest

SHOP = ServiceName("shop")
LEAD = Person(name="lead", proof="os_user")
ROOTS = {name: ReleaseRoot("sha256:" + name * 64) for name in "abcd"}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that stands still with its machine is no gateway that hangs."""
    monkeypatch.setattr(gateway_socket, "SEEN_S", 60.0)


class World:
    """One service whose releases are made up, served by a real gateway."""

    def __init__(self, made: Stage, ledger: Ledger, *, sick: str = "") -> None:
        self.made, self.ledger = made, ledger
        declared = load(made.services[0])
        self.service = declared.service
        for name, root in ROOTS.items():
            made.release(root, sick=name == sick, score=0.9 if name in "ac" else 0.1)
            one = replace(release(root), service=SHOP)
            facts = (
                e.ReleaseRegistered(service=SHOP, release=one),
                e.GatesJudged(service=SHOP, release=root, passed=True, results=()),
            )
            ledger.append(facts)
        declaration = msgspec.to_builtins(self.service)
        ledger.append(
            [
                e.ServiceDeclared(
                    service=SHOP, policy=policy_digest(self.service), declaration=declaration, folder="shop"
                ),
                e.ChampionAppointed(service=SHOP, release=ROOTS["a"], previous=None),
            ]
        )
        made.start()
        self.loop = Reconciler(
            self.service,
            ledger=ledger,
            gateways=SocketGateways(made.home.socket),
            sensor=Sensor(),
            learner=Learner(ledger),  # type: ignore[arg-type]
            clock=SystemClock(),
            owner="test",
        )

    def begin(self, *arms: str, metric: str = "accuracy") -> None:
        start(self.ledger, "shop", LEAD, arms_of(arms), metric=metric)  # type: ignore[arg-type]
        until(self._in_force, "the arms are in force")

    def _in_force(self) -> bool:
        self.loop.tick()
        return self.loop.state.ab is not None and self.loop.state.ab.applied

    def units(self, arm: str) -> int:
        """That the gateway has counted for it; here each has one row."""
        found = self.shown().report
        assert found is not None
        return {each.name: each.units for each in found.arms}[arm]

    def shown(self) -> AbTest:
        return read(self.ledger, self.made.home, "shop", advance=lambda _: None)


def test_a_test_is_begun_judged_by_labels_and_ended(tmp_path: Path) -> None:
    with stage(tmp_path) as made, ledger_of(made.home) as ledger:
        there = World(made, ledger)
        there.begin(f"b={ROOTS['b'][7:19]}:30%", f"c={ROOTS['c']}:30%", "aa=champion:10%")
        assert there.shown().standing == "runs"
        answers = made.predict(*[row(card=f"card-{i}") for i in range(900)])
        labels = [{"id": each["id"], "label": 1} for each in answers]
        assert made.ask("POST", "/v1/labels", {"labels": labels})[0] == 200
        arms = {each["arm"] for each in answers}
        assert arms == {"champion", "b", "c", "aa"}
        found = until(lambda: _labelled(there, 900), "the log has the labels")
        assert found.report is not None
        assert found.report.verdict == "BELIEVABLE"
        each = {arm.name: arm for arm in found.report.arms}
        assert {name: arm.units for name, arm in each.items()} == {
            name: sum(answer["arm"] == name for answer in answers) for name in each
        }
        assert (each["champion"].metric, each["b"].metric, each["c"].metric) == (1.0, 0.0, 1.0)
        worse, same = each["b"].difference, each["c"].difference
        assert worse is not None
        assert same is not None
        assert worse.high < 0.0
        assert same.low <= 0.0 <= same.high
        assert each["aa"].release == ROOTS["a"]
        stop(ledger, "shop", LEAD, "b is worse")
        there.loop.tick()
        closed = there.shown()
        assert closed.standing == "closed as stopped: lead ended it: b is worse"
        assert closed.report is not None
        assert {arm.name: arm.units for arm in closed.report.arms} == {name: arm.units for name, arm in each.items()}
        assert {answer["arm"] for answer in made.predict(*[row(card=f"card-{i}") for i in range(100)])} == {"champion"}


def _labelled(there: World, rows: int) -> AbTest | None:
    found = there.shown()
    return found if found.report is not None and sum(arm.labelled for arm in found.report.arms) == rows else None


def test_rows_that_nobody_answered_are_told_for_each_arm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are not in the metric: an arm that fails on the hard rows looks better."""
    alone = SERVICE.replace("[previous, {constant: {prediction: 0, score: 0.0}}]", "[]")
    with stage(tmp_path, declared=alone) as made, ledger_of(made.home) as ledger:
        there = World(made, ledger, sick="b")
        there.begin(f"b={ROOTS['b']}:50%")
        rows = [row(card=f"card-{i}", items=13 if i % 10 == 0 else 1) for i in range(60)]
        answers = [made.ask("POST", "/v1/services/shop/predict", {"rows": [each]}) for each in rows]
        assert {status for status, _ in answers} == {200, 500}
        failed = sum(status == 500 for status, _ in answers)
        until(lambda: _unanswered(there) == [(0, 0.0), (failed, failed / there.units("b"))], "the log has the rows")
        assert run(["ab", "show", "shop", "--home", str(made.home.root)]) == 0
        assert f"not in accuracy: champion 0 (0.00%), b {failed} (" in capsys.readouterr().out


def _unanswered(there: World) -> list[tuple[int, float | None]]:
    found = there.shown().report
    assert found is not None
    return [(arm.unanswered, arm.unanswered_share) for arm in found.arms]


def test_a_sick_arm_is_stopped_by_the_gateway_recorded_by_the_loop_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stage(tmp_path) as made, ledger_of(made.home) as ledger:
        there = World(made, ledger, sick="c")
        there.begin(*[f"{name}={ROOTS[name]}:25%" for name in "bcd"])
        asked = iter(range(100_000))

        def gone() -> bool:
            made.predict(*[row(card=f"card-{next(asked)}", items=13) for _ in range(20)])
            return made.control.observe("shop").stopped is not None

        until(gone, "the gateway stops arm c")
        there.loop.tick()
        found = there.shown()
        assert [each.arm for each in found.stops] == ["c"]
        assert found.report is not None
        assert [(arm.name, arm.weight) for arm in found.report.arms] == [
            ("champion", 0.5), ("b", 0.25), ("c", 0.0), ("d", 0.25)
        ]  # fmt: skip
        routing = made.control.observe("shop").routing
        assert routing is not None
        assert routing.epoch == there.loop.state.epoch  # the controller's order says the same
        assert run(["ab", "show", "shop", "--home", str(made.home.root)]) == 0
        text = capsys.readouterr().out
        assert "arm c was stopped" in text
        assert "split: believable" in text or "split: inconclusive" in text
        assert run(["ab", "show", found.test, "--json", "--home", str(made.home.root)]) == 0
        assert msgspec.json.decode(capsys.readouterr().out)["report"]["arms"][2]["name"] == "c"
        assert run(["status", "shop", "--json", "--home", str(made.home.root)]) == 0
        assert msgspec.json.decode(capsys.readouterr().out)["services"][0]["ab_test"] == found.test


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    with stage(tmp_path) as made, ledger_of(made.home) as ledger:
        there = World(made, ledger)
        with pytest.raises(NotFound, match="no A/B test"):
            there.shown()
        start(ledger, "shop", LEAD, arms_of([f"b={ROOTS['b']}:30%"]), metric="label")
        found = there.shown()
        assert found.standing == "ordered, not in force yet"
        assert found.report is None
        assert "does not go by this test yet" in found.notes[0]
        made.kill()
        assert "no counts" in there.shown().notes[0]
