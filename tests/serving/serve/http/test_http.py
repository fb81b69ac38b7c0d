"""The gateway over real HTTP, in a process of its own, when all is well: routes, errors, exact accounting."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import ROOT, Stage, stage, until

from flyball.adapters.prediction_log.segments import Segments
from flyball.core.errors import NotFound, StaleEpoch, Untrusted
from flyball.core.ids import Epoch
from flyball.serving.serve.http.server import bound

ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("gateway")) as made:
        for root in (CHAMPION, PREVIOUS):
            made.release(root, sick=root == CHAMPION)
        made.start()
        assert made.ask("GET", "/readyz")[0] == 503
        assert made.ask("POST", "/v1/services/shop/predict", row())[0] == 503
        made.control.apply("first", routing(**ALONE))
        yield made


def test_one_row_or_many_are_answered(served: Stage) -> None:
    status, answer = served.ask("POST", "/v1/services/shop/predict", row())
    assert status == 200
    assert answer["service"] == "shop"
    (one,) = answer["predictions"]
    assert (one["prediction"], one["score"], one["release"], one["arm"]) == (1, 0.9, CHAMPION, "champion")
    assert len(served.predict(*(row(card=f"c{i}") for i in range(300)))) == 300


def test_it_is_alive_and_ready(served: Stage) -> None:
    assert served.ask("GET", "/livez") == (200, {"live": True})
    assert served.ask("GET", "/readyz") == (200, {"ready": True, "services": {"shop": True}})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/v3", None, 404, "no route"),
        ("GET", "/v1/services/shop/predict", None, 405, "use POST"),
        ("POST", "/metrics", None, 405, "use GET"),
        ("POST", "/v1/services/nobody/predict", {"a": 1}, 404, "no service nobody"),
        ("POST", "/v1/services/shop/predict", b"{", 400, "expected JSON"),
        ("POST", "/v1/services/shop/predict", b" " * (17 << 20), 413, "larger than"),
        ("POST", "/v1/services/shop/predict", {"rows": [{"card": 1}]}, 400, "card: expected text, found 1"),
        ("POST", "/v1/labels", {"labels": [{"id": "x"}]}, 400, "label"),
        ("GET", "/v2/models/nobody", None, 404, "no model"),
        ("GET", "/v2/models/shop/versions/ffff", None, 404, "no one version"),
        ("DELETE", "/v2/models/shop", None, 405, "use GET"),
        ("POST", "/v2/models/shop/infer", {"inputs": []}, 400, "card"),
    ],
)
def test_every_error_has_one_shape(
    served: Stage, method: str, path: str, body: object, status: int, words: str
) -> None:
    found, answer = served.ask(method, path, body)
    assert (found, set(answer) - {"service", "predictions"}) == (status, {"error"})
    assert words in answer["error"]


def test_labels_find_their_predictions(served: Stage) -> None:
    first, second = served.predict(row(), row())
    labels = [{"id": first["id"], "label": 1}, {"id": second["id"], "label": 0}, {"id": "shop.made-up", "label": 1}]
    assert served.ask("POST", "/v1/labels", {"labels": labels}) == (
        200,
        {"accepted": 2, "duplicate": 0, "corrected": 0, "unmatched": 1},
    )
    again = [{"id": first["id"], "label": 1}, {"id": second["id"], "label": 1}]
    assert served.ask("POST", "/v1/labels", {"labels": again})[1] == {
        "accepted": 0,
        "duplicate": 1,
        "corrected": 1,
        "unmatched": 0,
    }


def test_a_label_of_another_kind_is_refused_with_every_other_and_none_is_kept(served: Stage) -> None:
    ids = [prediction["id"] for prediction in served.predict(row(), row(), row())]
    labels = [{"id": name, "label": label} for name, label in zip(ids, ["yes", 1, 0.5], strict=True)]
    status, answer = served.ask("POST", "/v1/labels", {"labels": [*labels, {"id": "shop.made-up", "label": "x"}]})
    assert status == 400
    expected = "expected a whole number of 64 bits"
    assert answer["error"] == f"labels[0].label: {expected}, found 'yes'; labels[2].label: {expected}, found 0.5"
    assert served.ask("POST", "/v1/labels", {"labels": labels[1:2]})[1]["accepted"] == 1


def test_rows_of_every_kind_from_many_clients_are_accounted_exactly(served: Stage) -> None:
    kinds = [row(), row(amount=-1.0), row(amount="x"), row(items=13)]
    before = served.log_counts()["received"]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda i: served.predict(*kinds, row(card=f"c{i}")), range(60)))
    for good, quarantined, rejected, failing, last in answers:
        assert (good["fallback"], last["fallback"]) == (None, None)
        assert (quarantined["fallback"], failing["fallback"]) == ("previous", "previous")
        assert "error" in rejected
    counts = until(lambda: (c := served.log_counts())["written"] == c["received"] and c, "all rows written")
    assert counts["received"] - before == 300
    assert counts["dropped"] == 0
    ids = [answer["id"] for rows in answers for answer in rows]
    logged: dict[str, str] = {}

    def all_sealed() -> bool:
        for segment in Segments(served.home.root / "telemetry").sealed("shop", -1):
            pane, table = segment.pane, segment.predictions
            assert pane.received == pane.written + pane.dropped
            assert table.height == pane.written
            logged.update(zip(table["id"], table["outcome"], strict=True))
        return set(ids) <= logged.keys()

    until(all_sealed, "the pane is sealed")
    expected = ["answered", "quarantined", "rejected", "fallback", "answered"]
    assert [logged[name] for name in ids] == expected * 60


def test_a_version_in_the_path_bypasses_the_arms(served: Stage) -> None:
    body = {
        "inputs": [
            {"name": "card", "shape": [1], "datatype": "BYTES", "data": ["c"]},
            {"name": "amount", "shape": [1], "datatype": "FP64", "data": [1.0]},
        ]
    }
    status, answer = served.ask("POST", "/v2/models/shop/versions/cc03/infer", body)
    assert (status, answer["model_version"]) == (200, "cc03")


def test_an_order_comes_once_in_its_turn_and_with_releases_that_verify(served: Stage) -> None:
    in_force = served.control.observe("shop").routing
    assert in_force is not None
    served.control.apply("first", routing(**ALONE))  # the same order again
    with pytest.raises(StaleEpoch):
        served.control.apply("late", routing(epoch=Epoch(0), **ALONE))
    with pytest.raises(NotFound):
        served.control.observe("nobody")
    served.release("sha256:dd04")
    (served.home.releases / "dd04" / "altered").touch()
    with pytest.raises(Untrusted):
        served.control.apply("forged", routing(epoch=Epoch(2), candidate="sha256:dd04", weight=5000))
    assert served.control.observe("shop").routing == in_force
    assert served.predict(row())[0]["arm"] == "champion"


def test_metrics_are_prometheus_text(served: Stage) -> None:
    served.predict(row())
    status, text = served.ask("GET", "/metrics")
    assert status == 200
    assert 'flyball_rows_total{arm="champion",outcome="answered",service="shop"}' in text
    assert 'flyball_latency_seconds_bucket{le="+Inf",service="shop"}' in text


def test_it_drains_and_seals_when_it_is_told_to_stop(tmp_path: Any) -> None:
    with stage(tmp_path) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(previous=None, **ALONE))
        made.predict(*(row(card=f"c{i}") for i in range(25)))
        assert made.end() == 0
        segments = list(Segments(made.home.root / "telemetry").sealed("shop", -1))
        assert sum(segment.pane.written for segment in segments) == 25
        assert not list(made.home.telemetry("shop").glob("*.frames"))
        made.start()  # with the table on disk, and without anybody's order
        assert made.predict(row())[0]["release"] == CHAMPION
        assert made.control.observe("shop").routing is not None


def test_two_gateways_never_write_the_same_log(served: Stage) -> None:
    command = [sys.executable, "-m", "tests.serving.stage", str(served.services[0]), str(served.home.root), "0"]
    command.append("tests.serving.obedient:load")
    second = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    assert second.returncode != 0
    assert b"another gateway of this home serves shop" in second.stderr
    assert served.predict(row())[0]["arm"] == "champion"


def test_a_request_whose_deadline_has_passed_is_not_predicted(served: Stage) -> None:
    status, answer = served.ask("POST", "/v1/services/shop/predict", row(), **{"X-Request-Deadline-Ms": "0"})
    assert status == 504
    assert "deadline" in answer["error"]
    status, answer = served.ask("POST", "/v1/services/shop/predict", row(), **{"X-Request-Deadline-Ms": "soon"})
    assert status == 400
    assert "milliseconds" in answer["error"]
    assert served.ask("POST", "/v1/services/shop/predict", row(), **{"X-Request-Deadline-Ms": "5000"})[0] == 200


def test_a_choice_of_an_arm_that_the_service_does_not_offer_is_refused(served: Stage) -> None:
    status, answer = served.ask("POST", "/v1/services/shop/predict", row(), **{"x-flyball-arm": "candidate"})
    assert status == 400
    assert "routing.override" in answer["error"]


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    async def accepted() -> int:
        listener, found = bound("127.0.0.1", 0), asyncio.Queue[asyncio.StreamWriter]()
        server = await asyncio.start_server(lambda _, writer: found.put_nowait(writer), sock=listener)
        async with server:
            _, mine = await asyncio.open_connection(*listener.getsockname())
            theirs = await found.get()
            mine.close()
            theirs.close()
            nodelay: int = theirs.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            return nodelay

    assert asyncio.run(accepted()) != 0
