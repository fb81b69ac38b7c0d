"""Traces of a running gateway, posted to a collector here: the caller's trace goes on, in four parts."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import Stage, stage, until

ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None}
GATEWAY = """
apiVersion: flyball/v1
kind: Gateway
auth: {{off: true}}
telemetry: {{traces: {{to: "{to}", share: 0, headers: "file:headers"}}, logs: json, access_log: true}}
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """OTLP over HTTP on loopback."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.headers: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                found = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                outer.headers.append(self.headers["x-team"])
                for resource in found.resource_spans:
                    for scope in resource.scope_spans:
                        outer.spans += scope.spans
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not said."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def of(self, trace: str) -> dict[str, Any]:
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace}


class Traced:
    def __init__(self, made: Stage, collector: Collector, log: Path) -> None:
        self.stage, self.collector, self.log = made, collector, log


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    collector = Collector()
    with stage(folder) as made, (folder / "stderr.txt").open("wb") as log:
        for root in (CHAMPION, PREVIOUS):
            made.release(root, sick=root == CHAMPION)
        (folder / "headers").write_text("x-team=risk")
        (folder / "gateway.yaml").write_text(GATEWAY.format(to=collector.url))
        made.gateway, made.errors = folder / "gateway.yaml", log.fileno()
        made.start()
        made.control.apply("first", routing(**ALONE))
        yield Traced(made, collector, folder / "stderr.txt")
    collector.server.shutdown()
    collector.server.server_close()


def test_a_traced_request_has_check_queue_predict_and_capture_under_the_callers_span(traced: Traced) -> None:
    status, _ = traced.stage.ask("POST", "/v1/services/shop/predict", row(), traceparent=PARENT)
    assert status == 200
    names = {"check", "queue", "predict", "capture", "POST /v1/services/{service}/predict"}
    spans = until(lambda: (found := traced.collector.of(TRACE)).keys() >= names and found, "the spans arrive")
    request = spans["POST /v1/services/{service}/predict"]
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    for name in ("check", "queue", "predict", "capture"):
        assert spans[name].parent_span_id == request.span_id
        assert request.start_time_unix_nano <= spans[name].start_time_unix_nano <= spans[name].end_time_unix_nano
        assert spans[name].end_time_unix_nano <= request.end_time_unix_nano
    order = [spans[name].start_time_unix_nano for name in ("check", "queue", "predict", "capture")]
    assert order == sorted(order)
    about = {one.key: one.value for one in spans["predict"].attributes}
    assert about["flyball.release"].string_value == CHAMPION
    assert "risk" in traced.collector.headers


def test_a_failing_arm_and_its_stand_in_are_told_apart_and_no_row_is_in_any_span(traced: Traced) -> None:
    trace = "1" * 32
    body = row(card="4929-1111", items=13)
    traced.stage.ask("POST", "/v1/services/shop/predict", body, traceparent=f"00-{trace}-b7ad6b7169203331-01")
    spans = until(lambda: "capture" in (found := traced.collector.of(trace)) and found, "the spans arrive")
    found = [span for span in traced.collector.spans if span.trace_id.hex() == trace and span.name == "predict"]
    roles = {one.value.string_value for span in found for one in span.attributes if one.key == "flyball.role"}
    assert "fallback" in roles
    assert "4929" not in str(spans)


def test_the_caller_decides_and_without_it_the_share_does(traced: Traced) -> None:
    trace = "2" * 32
    traced.stage.ask("POST", "/v1/services/shop/predict", row(), traceparent=f"00-{trace}-b7ad6b7169203331-00")
    traced.stage.ask("POST", "/v1/services/shop/predict", row())
    traced.stage.ask("POST", "/v1/services/shop/predict", row(), traceparent="no such thing")
    marker = "3" * 32
    traced.stage.ask("POST", "/v1/services/shop/predict", row(), traceparent=f"00-{marker}-b7ad6b7169203331-01")
    until(lambda: traced.collector.of(marker), "a later trace arrives")
    assert not traced.collector.of(trace)
    known = {TRACE, "1" * 32, marker}
    assert {span.trace_id.hex() for span in traced.collector.spans} <= known


def test_the_latency_has_the_trace_as_its_exemplar(traced: Traced) -> None:
    trace = "4" * 32
    traced.stage.ask("POST", "/v1/services/shop/predict", row(), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    _, text = traced.stage.ask("GET", "/metrics", Accept="application/openmetrics-text")
    assert f'trace_id="{trace}"' in text


def test_the_access_log_is_json_with_the_request_id_and_without_what_was_asked(traced: Traced) -> None:
    asked = {"X-Request-Id": "order-77", "User-Agent": "4929-2222"}
    traced.stage.ask("POST", "/v1/services/shop/predict?card=4929-2222", row(card="4929-2222"), **asked)
    traced.stage.ask("GET", "/v1/services/4929-2222/predict")
    traced.stage.ask("GET", "/4929-2222", **{"X-Request-Id": "last"})
    text = until(lambda: '"last"' in (found := traced.log.read_text()) and found, "the lines are written")
    lines = [json.loads(line) for line in text.splitlines()]
    (mine,) = (line for line in lines if line.get("request_id") == "order-77")
    assert (mine["kind"], mine["route"], mine["service"], mine["status"]) == (
        "request",
        "/v1/services/{service}/predict",
        "shop",
        200,
    )
    assert all(line["request_id"] for line in lines if line["kind"] == "request")
    assert "4929" not in text
