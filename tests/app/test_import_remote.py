"""A model behind another server becomes a release: here the other server is a gateway of ours, over real HTTP."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.app.command import FLYBALL, run
from tests.app.test_up import services

from flyball.app.cli.main import run as cli

__all__ = ["services"]  # a fixture of the other file


@contextmanager
def serving(file: Path, home: Path) -> Iterator[str]:
    """The gateway's URL while the block runs."""
    words = ["serve", str(file), "--home", str(home), "--port", "0", "--json"]
    process = subprocess.Popen([*FLYBALL, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(timeout=60)


def asked(url: str, service: str) -> Any:
    body = json.dumps({"rows": [{"x": x, "amount": 1.0} for x in (-1.0, 0.0, 2.0)]}).encode()
    with urlopen(Request(f"{url}/v1/services/{service}/predict", data=body), timeout=60) as answer:
        return [row["score"] for row in json.load(answer)["predictions"]]


def opened(gateway: str) -> str:
    """The line of the metrics that says whether the champion is asked."""
    with urlopen(f"{gateway}/metrics", timeout=60) as told:
        lines = told.read().decode().splitlines()
    return next((line for line in lines if line.startswith("flyball_circuit_open") and 'arm="champion"' in line), "")


@pytest.mark.slow
def test_its_answers_are_judged_and_served_and_its_death_is_ours_to_bear(
    services: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, here, (theirs, ours) = tmp_path / "there", tmp_path / "here", services
    run("train", theirs, "--home", there)
    with ExitStack() as theirs_alone:
        url = theirs_alone.enter_context(serving(theirs, there))
        address = f"{url}/v2/models/shop"
        assert cli(["import", address, str(ours)]) == 2  # which of the two outputs?
        assert "expected one, found prediction, score (name it by --output)" in capsys.readouterr().err
        assert cli(["import", f"{url}/v2/models/nobody", str(ours), "--output", "score"]) == 3
        assert "status 404" in capsys.readouterr().err
        assert cli(["import", address, str(ours), "--connections", "0", "--timeout", "-1"]) == 2
        said = capsys.readouterr().err
        assert "--connections" in said
        assert "--timeout" in said
        assert not (ours.parent / "remote_model.py").exists()
        brought = run("import", address, ours, "--output", "score")
        assert (brought["source"], brought["environment_grade"], brought["sha256"]) == (address, "D", None)
        trained = run("train", ours, "--home", here)
        assert trained["champion"]
        want = asked(url, "shop")
        with serving(ours, here) as gateway:
            assert asked(gateway, "market") == pytest.approx(want)
            theirs_alone.close()  # the endpoint dies: the arm gives no answer, the gateway goes on
            with pytest.raises(HTTPError) as failed:
                asked(gateway, "market")
            assert failed.value.code in (500, 503)
            while "flyball_circuit_open" not in (said := opened(gateway)) or not said.endswith(" 1.0"):
                continue  # its watch finds out by itself, and then nobody waits for it any more
            with urlopen(f"{gateway}/livez", timeout=60) as alive:
                assert alive.status == 200
    done = subprocess.run(
        [*FLYBALL, "serve", str(ours), "--home", str(here), "--port", "0"], capture_output=True, text=True
    )
    assert done.returncode == 3  # a release whose probe rows nobody answers does not come up
    assert "/v2/models/shop/infer" in done.stderr
