"""curl against the gateway, as a person at a terminal uses it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.served import shop
from tests.serving.stage import Stage

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shop(tmp_path_factory.mktemp("curl")) as made:
        yield made


def curl(served: Stage, path: str, *options: str, sent: bytes = b"") -> tuple[int, bytes]:
    """Status and body."""
    command = ["curl", "--silent", "--show-error", "--write-out", "%{http_code}", *options]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{served.port}{path}"], input=sent, capture_output=True, check=True
    )
    return int(done.stdout[-3:]), done.stdout[:-3]


def test_a_row_as_it_is_typed(served: Stage) -> None:
    status, body = curl(served, "/v1/services/shop/predict", "--data", '{"card": "c", "amount": 1.5}')
    assert (status, json.loads(body)["predictions"][0]["score"]) == (200, 0.9)


def test_a_large_body_is_sent_after_the_server_said_continue_and_comes_back_packed(
    served: Stage, tmp_path: Path
) -> None:
    rows = [{"card": f"c{i}", "amount": 1.0, "note": "x" * 2000} for i in range(1000)]
    headers = ["--header", "Expect: 100-continue", "--compressed", "--dump-header", str(tmp_path / "head")]
    body = json.dumps({"instances": rows}).encode()
    status, answer = curl(served, "/v1/models/shop:predict", *headers, "--data-binary", "@-", sent=body)
    assert (status, json.loads(answer)["predictions"]) == (200, [1] * 1000)
    assert "100 Continue" in (tmp_path / "head").read_text()
    assert "content-encoding: " in (tmp_path / "head").read_text()


def test_a_faulty_body_and_a_wrong_method_are_told(served: Stage) -> None:
    assert curl(served, "/v1/services/shop/predict", "--data", "{")[0] == 400
    assert curl(served, "/v1/services/shop/predict") == (405, b'{"error":"method GET: use POST"}')
    assert curl(served, "/livez", "--head")[0] == 200


def test_chunks_without_a_length_are_bounded(served: Stage) -> None:
    chunked = ["--header", "Transfer-Encoding: chunked", "--header", "Expect:", "--data-binary", "@-"]
    status, body = curl(served, "/v1/labels", *chunked, sent=b" " * (17 << 20))
    assert (status, set(json.loads(body))) == (413, {"error"})
