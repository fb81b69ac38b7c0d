"""The report says yes only where everything was seen, and its screen and document tell the same."""

import json
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from flyball.app.demo.report import Drift, Kill, LedgerSeen, Report, Requests, Rollback, missing
from flyball.app.demo.screen import screen


def seen() -> Report:
    rollbacks = [
        Rollback(cause=cause, requests=16, seconds=0.7, failed_answers=0, events=8, stood_in=9, by="gateway")
        for cause in ("errors", "slow")
    ]
    return Report(
        ok=True,
        story=[{"chapter": "first release", "what": "it serves", "at_s": 1.5, "release": "sha256:00"}],
        rollbacks=rollbacks,
        drift=Drift(
            feature="distance_km", diagnosis="covariate_shift", rows=3_000, seconds=12.0, promoted=True, recovered_s=30
        ),
        kill=Kill(during="canary", answered=900, failed=0, seconds=4.0),
        requests=Requests(sent=20_000, answered=19_999, failed=1, latency_p50_ms=2.0, latency_p99_ms=9.5),
        ledger=LedgerSeen(events=140, verified=True),
        seconds=88.0,
        home="demo-home",
    )


def test_what_was_seen_lacks_nothing() -> None:
    assert missing(seen()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rollbacks": []}, "with errors rolled back"),
        ({"rollbacks": seen().rollbacks[:1]}, "with slow answers rolled back"),
        (
            {"rollbacks": [msgspec.structs.replace(each, by="controller") for each in seen().rollbacks]},
            "by the gateway",
        ),
        ({"kill": None}, "controller was killed"),
        ({"drift": Drift(feature="amount", promoted=True)}, "diagnosed"),
        ({"drift": Drift(feature="amount", diagnosis="covariate_shift")}, "promoted"),
        ({"requests": Requests(sent=3, answered=2)}, "every request"),
        ({"requests": Requests()}, "every request"),
        ({"ledger": LedgerSeen(events=3, reason="entry 2 was changed")}, "entry 2 was changed"),
    ],
)
def test_each_thing_that_was_not_seen_is_named(change: dict[str, object], named: str) -> None:
    assert any(named in words for words in missing(msgspec.structs.replace(seen(), **change)))


def test_the_document_has_the_promised_keys() -> None:
    document = json.loads(msgspec.json.encode(seen()))
    assert document.keys() >= {"ok", "story", "rollbacks", "drift", "requests", "ledger"}
    assert document["rollbacks"][0].keys() >= {"cause", "requests", "seconds", "failed_answers"}
    assert document["drift"].keys() >= {"feature", "diagnosis", "rows", "seconds", "promoted"}
    assert document["requests"].keys() >= {"sent", "answered", "failed"}
    assert document["ledger"].keys() >= {"events", "verified"}
    assert document["story"][0].keys() >= {"chapter", "what", "at_s"}


def test_the_screen_tells_what_was_seen_and_what_was_not() -> None:
    good = shown(seen())
    assert "All of it was seen, in 88 s" in good
    for words in (
        "16 requests and 0.7 s",
        "distance_km",
        "20000 sent, 19999 answered, 1 failed",
        "140 events, verified",
    ):
        assert words in good
    bad = seen()
    bad.ok, bad.not_seen, bad.ledger = False, ["a [late] drift"], LedgerSeen(events=3, reason="cut")
    told = shown(bad)
    assert "a [late] drift" in told
    assert "NOT VERIFIED: cut" in told


def shown(report: Report) -> str:
    out = StringIO()
    Console(file=out, width=160).print(screen(report))
    return out.getvalue()
