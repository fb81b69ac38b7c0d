"""`flyball api` without credentials, as a process: everybody on this machine may ask, and nobody may order."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.app.api.asked import answering, ask, declared, put
from tests.app.api.test_flagger import DOCUMENTED, SENT
from tests.app.test_people import PROMOTED, asking
from tests.control.world import NAME, SECOND

from flyball.app.api.words import OF_ALERTS, WORDS
from flyball.app.cli.main import run
from flyball.app.home import Home

STANDING, VERDICT = f"/v1/services/{NAME}/rollout", f"/v1/services/{NAME}/rollout/verdict"
ARMS = {"candidate": {"requests": 500, "errors": 0}, "champion": {"requests": 4500, "errors": 3}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("api") / "home")
    put(made, *declared({}))
    put(made, *asking())
    return made


@pytest.fixture(scope="module")
def url(home: Home) -> Iterator[str]:
    with answering(home.root) as found:
        yield found


def test_the_standing_is_what_the_command_prints(url: str, home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rollout", "status", NAME, "--home", str(home.root), "--json"]) == 0
    assert ask(url + STANDING)[:2] == (200, json.loads(capfd.readouterr().out))


def test_counts_that_somebody_brings_are_judged(url: str) -> None:
    status, told, _ = ask(url + "/v1/decide", {"epochs": [ARMS | {"weight": 0.1}]})
    assert (status, told["data"]["verdict"], told["data"]["numbers"]["own_requests"]) == (200, "PROMOTE", 500.0)
    worse = {"candidate": {"requests": 100, "errors": 9}, "champion": {"requests": 900, "errors": 3}}
    assert ask(url + "/v1/decide", {"epochs": [worse]})[1]["data"]["verdict"] == "ROLL_BACK"


@pytest.mark.parametrize(
    ("body", "status", "places"),
    [
        (b"nothing", 400, ["$"]),
        (b"[" * 100_000, 400, ["$"]),
        ({}, 422, ["epochs"]),
        ({"epochs": []}, 422, ["epochs"]),
        (
            {"epochs": [ARMS | {"weight": 2}], "guardrails": {"errors": {"ratio": 1}}, "unit": 1},
            422,
            ["epochs[0].weight", "guardrails.errors.ceiling", "guardrails.errors.ratio", "unit"],
        ),
        (
            {"epochs": [{"candidate": {"requests": 1, "errors": 2}, "champion": {"requests": 1, "errors": 2}}]},
            422,
            ["epochs[0].candidate.errors", "epochs[0].champion.errors"],
        ),
    ],
)
def test_a_faulty_body_is_told_all_its_faults(url: str, body: object, status: int, places: list[str]) -> None:
    found, told, _ = ask(url + "/v1/decide", body)
    assert (found, [fault["path"] for fault in told["faults"]]) == (status, places)
    assert all(place in told["error"] for place in places)


def test_what_flagger_posts_moves_nothing_before_there_is_a_verdict(url: str) -> None:
    for asked in ("go", "rollback"):
        status, told, _ = ask(f"{url}/v1/flagger/{asked}", SENT | {"metadata": {"service": NAME}})
        assert (status, told["error"].partition(":")[0]) == (409, "HOLD")
        assert ask(f"{url}/v1/flagger/{asked}", DOCUMENTED)[0] == 404, "no service is called podinfo"
        assert ask(f"{url}/v1/flagger/{asked}", {"name": "fraud"})[0] == 422


def test_an_order_needs_somebody_who_gives_it(url: str) -> None:
    for verb in WORDS:
        base = f"{url}/v1/services/{NAME}" + ("" if verb in ("approve", "reject") else "/rollout")
        status, told, headers = ask(f"{base}/{verb}", {"why": "because"})
        assert (status, "--gateway" in told["error"], "www-authenticate" in headers) == (401, True, True), verb
    assert ask(f"{url}/v1/services/{NAME}/triggers", {"reference": "4f1c2aa"})[0] == 401
    for verb in OF_ALERTS:
        assert ask(f"{url}/v1/services/{NAME}/alerts/{verb}", {"about": "al-1"})[0] == 401


def test_what_is_not_there_is_an_error_in_the_same_shape(url: str) -> None:
    for place, status in ((f"{VERDICT}?release=00000000", 404), ("/v1/services/nobody/rollout", 404), ("/", 404)):
        found, told, _ = ask(url + place)
        assert (found, list(told)) == (status, ["error"])
    assert ask(f"{url}/v1/services/ro-1/rollout")[0] == 404, "a rollout is no service"
    status, told, headers = ask(url + "/v1/decide")
    assert (status, list(told), headers["allow"]) == (405, ["error"], "POST")
    assert ask(url + "/livez")[:2] == (200, {"live": True})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["epochs", "candidate", "champion", "requests", "name", "x"]), inner)
    ),
    max_leaves=12,
)
ARM = st.fixed_dictionaries(
    {"requests": st.integers(0, 10**13), "errors": st.integers(0, 10**7)},
    optional={"slow": st.integers(-1, 50) | st.none(), "units": st.integers(0, 100)},
)
EPOCH = st.fixed_dictionaries({"candidate": ARM, "champion": ARM}, optional={"weight": st.floats(0, 1.1)})


@settings(max_examples=60, deadline=None)
@given(body=JSON | st.fixed_dictionaries({"epochs": st.lists(EPOCH, min_size=1, max_size=3)}) | st.binary(max_size=20))
def test_no_body_brings_it_down(url: str, body: object) -> None:
    for place in ("/v1/decide", "/v1/flagger/go"):
        status, told, _ = ask(url + place, b"" if body is None else body)
        assert status in (200, 400, 404, 409, 422), told
        assert next(iter(told)) == ("data" if status == 200 else "error")


def test_a_body_beyond_the_bound_is_refused_and_one_that_never_comes_keeps_nobody_waiting(url: str) -> None:
    address = urlsplit(url)
    client = HTTPConnection(str(address.hostname), address.port)
    client.putrequest("POST", "/v1/decide")
    client.putheader("content-length", str(1024 * 1024 + 1))
    client.endheaders()
    assert client.getresponse().status == 413, "said before the body was sent"
    client.close()
    hung = [socket.create_connection((str(address.hostname), address.port or 0)) for _ in range(40)]
    for one in hung:
        one.sendall(b"POST /v1/decide HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    assert ask(url + STANDING)[0] == 200
    for one in hung:
        one.close()


def test_the_document_is_openapi_and_names_every_route(url: str) -> None:
    document = ask(url + "/openapi.json")[1]
    OpenAPIV31SpecValidator(document).validate()
    words = {f"/v1/services/{{service}}/{'' if verb in ('approve', 'reject') else 'rollout/'}{verb}" for verb in WORDS}
    words |= {f"/v1/services/{{service}}/alerts/{verb}" for verb in OF_ALERTS} | {"/v1/services/{service}/alerts"}
    words.add("/v1/services/{service}/triggers")
    others = {"/livez", "/v1/decide", "/v1/flagger/go", "/v1/flagger/rollback"}
    rollout = "/v1/services/{service}/rollout"
    assert set(document["paths"]) == words | others | {rollout, f"{rollout}/verdict"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    question = document["components"]["schemas"]["Question"]["properties"]
    assert question["guardrails"]["default"]["max_errors"] == 100


def test_it_does_not_start_where_it_could_not_answer_or_everybody_could_ask(tmp_path: Path, home: Home) -> None:
    (tmp_path / "service.yaml").write_text("kind: Service\n")
    assert run(["api", str(tmp_path), "--home", str(home.root), "--port", "0"]) == 2
    assert run(["api", "--home", str(tmp_path / "nothing"), "--port", "0"]) == 2
    assert run(["api", "--home", str(home.root), "--host", "0.0.0.0"]) == 2


def test_verdicts_follow_the_ledger_and_no_cache_may_keep_them(url: str, home: Home) -> None:
    """The last one of this file: afterwards the rollout is over."""
    status, told, headers = ask(url + VERDICT)
    assert (status, told["data"]["verdict"], told["data"]["ok"]) == (200, "HOLD", False)
    assert headers["cache-control"] == "no-store"
    go = SENT | {"metadata": {"service": NAME, "release": SECOND}}
    assert ask(url + "/v1/flagger/go", go)[0] == 409
    put(home, *PROMOTED)
    told = ask(f"{url}{VERDICT}?release={SECOND}")[1]
    assert (told["data"]["verdict"], told["data"]["ok"]) == ("PROMOTE", True)
    assert ask(url + VERDICT)[1]["data"]["verdict"] == "INCONCLUSIVE"
    assert ask(url + "/v1/flagger/go", go)[0] == 200
    assert ask(url + "/v1/flagger/rollback", go)[0] == 409
