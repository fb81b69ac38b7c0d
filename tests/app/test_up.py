"""`flyball up` as a user runs it: one tree of real processes, and what is left when one of them dies."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import polars as pl
import pytest
from ruamel.yaml import YAML
from tests.app.command import FLYBALL, run, tree
from tests.drafted import untimed

from flyball.adapters.heartbeat import Beat, read_beat, write_beat
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.loop.budgets_file import budgets_state
from flyball.core import events as e

SEEN_S = 60.0


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small services, drafted by `flyball init`."""
    folder = tmp_path_factory.mktemp("services")
    rng = np.random.default_rng(7)
    x, amount = rng.normal(size=3000), rng.gamma(2.0, 1.0, size=3000)
    bought = (rng.random(3000) < 1 / (1 + np.exp(-2 * x))).astype(int)
    table = pl.DataFrame({"x": x, "amount": amount, "bought": bought})
    table.write_parquet(folder / "table.parquet")
    files = []
    for name in ("shop", "market"):
        run("init", folder / name, "--data", folder / "table.parquet", "--label", "bought", "--name", name)
        files.append(folder / name / "service.yaml")
        untimed(files[-1])
    return files


@contextmanager
def up(files: list[Path], home: Path) -> Iterator[dict[str, Any]]:
    """The tree of these services while the block runs."""
    with tree(*files, "--home", home) as told:
        yield told


def predict(url: str, service: str, x: float) -> Any:
    body = json.dumps({"x": x, "amount": 1.0}).encode()
    with urlopen(Request(f"{url}/v1/services/{service}/predict", data=body), timeout=60) as answer:
        return json.load(answer)["predictions"][0]


def answers(url: str) -> bool:
    try:
        return bool(predict(url, "shop", 2.0)["arm"] == "champion")
    except OSError:
        return False


def until(what: Callable[[], bool]) -> None:
    """Follow the world until it is so."""
    tries = Event()
    for _ in range(int(SEEN_S / 0.1)):
        if what():
            return
        tries.wait(0.1)
    pytest.fail("it was not seen in time")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kept(home: Path) -> dict[str, float]:
    """When a controller last kept each service."""
    beat = read_beat(Home(home).heartbeat)
    return {} if beat is None else beat.kept


def counted(home: Path, url: str) -> bool:
    """Whether the controller has counted the row that was answered, and the gateway tells of it."""
    found = budgets_state(Home(home), "shop")
    if found is None or found.budgets[0].events.total == 0:
        return False
    with urlopen(f"{url}/metrics", timeout=60) as answer:
        return (
            b'flyball_objective_events_total{objective="availability",service="shop",what="good"} 1.0' in answer.read()
        )


def test_two_services_are_served_and_a_killed_controller_is_replaced(services: list[Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(services, home) as running:
        pids = [running["gateway_pid"], running["controller_pid"]]
        assert sorted(running["services"]) == ["market", "shop"]
        for service in ("shop", "market"):
            assert predict(running["url"], service, 2.0)["prediction"] == 1
            assert predict(running["url"], service, -2.0)["prediction"] == 0
        ledger = open_ledger(Home(home))
        until(lambda: all(state.applied >= 1 for state in states_of(ledger).values()))
        until(lambda: sorted(kept(home)) == ["market", "shop"])
        os.kill(running["controller_pid"], signal.SIGKILL)
        assert predict(running["url"], "shop", 2.0)["arm"] == "champion"

        def starts(process: str) -> list[e.ProcessStarted]:
            facts = (entry.fact for entry in ledger.read(subject="shop"))
            return [fact for fact in facts if isinstance(fact, e.ProcessStarted) and fact.process == process]

        until(lambda: len(starts("controller")) == 2)
        new_pid = int((home / "run" / "controller.pid").read_text())
        assert new_pid not in pids
        pids.append(new_pid)
        os.kill(running["gateway_pid"], signal.SIGKILL)
        until(lambda: answers(running["url"]))  # started again, it answers where it did
        until(lambda: len(starts("gateway")) == 2)  # which left no fact before
        first, again = starts("gateway")
        assert first.owner == again.owner != ""
        assert first.life != again.life
        pids.append(int((home / "run" / "gateway.pid").read_text()))
    assert not any(alive(pid) for pid in pids)
    assert run("ledger", "verify", "--home", home)["ok"]


@pytest.mark.slow
def test_status_and_explain_read_what_the_tree_left(services: list[Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(services[:1], home) as running:
        assert predict(running["url"], "shop", 2.0)["fallback"] is None
        until(lambda: "shop" in kept(home))
        until(lambda: counted(home, running["url"]))
    slo = run("slo", "status", "shop", "--home", home)
    first = slo["objectives"][0]
    assert (first["name"], first["value"], first["left"]) == ("availability", 1.0, 1.0)
    (status,) = run("status", "--home", home)["services"]
    assert status["champion"] is not None
    assert status["controller_seen_s"] < 600
    silent = Beat(owner="gone", at=0.0, kept={"shop": 0.0})
    write_beat(Home(home).heartbeat, silent)
    (status,) = run("status", "--home", home)["services"]
    assert any("a controller: none has kept it" in wait for wait in status["waiting_for"])
    told = run("explain", "shop", "--home", home)
    assert any("became champion" in line["text"] for line in told["events"])
    frozen = run("freeze", "shop", "--why", "audit", "--home", home)
    assert frozen["recorded"] == ["service.frozen"]
    assert run("status", "shop", "--home", home)["services"][0]["frozen"]


def refused(*words: object, cwd: Path | None = None) -> tuple[int, Any]:
    """A verb that does not do it: exit code and error document, in an environment that names no home."""
    done = subprocess.run(
        [*FLYBALL, *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "FLYBALL_HOME"},
    )
    return done.returncode, json.loads(done.stdout)["error"]


@pytest.mark.slow
def test_up_needs_a_service_and_each_of_them_once_and_sound(services: list[Path], tmp_path: Path) -> None:
    code, error = refused("up")
    assert (code, error["message"]) == (2, "No service is named.")
    assert error["hint"].startswith("flyball up ")
    code, error = refused("up", services[0], services[0].parent)
    assert code == 2
    assert [(fault["path"], fault["found"]) for fault in error["faults"]] == [("shop", "twice")]
    code, error = refused("up", tmp_path / "here", tmp_path / "there")
    assert code == 2
    assert len(error["faults"]) == 2
    assert not (services[0].parent / ".flyball").exists()


@pytest.mark.slow
def test_a_first_release_that_fails_its_gates_ends_up_with_the_reason_in_the_home_of_its_folder(
    services: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    for file in services[0].parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    declared = YAML().load(folder / "service.yaml")
    declared["gates"] = [{"metric": declared["experiment"]["metric"], "min": 0.9999}]
    YAML().dump(declared, folder / "service.yaml")
    code, error = refused("up", "strict", cwd=tmp_path)  # a folder, as `train` and `serve` take it
    assert code == 1
    assert "shop: release " in error["message"]
    assert ">= 0.9999" in error["message"]
    assert (folder / ".flyball" / "ledger.db").exists()
    assert not (tmp_path / ".flyball").exists()


@pytest.mark.slow
def test_a_gateway_that_does_not_start_tells_up_why(services: list[Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(services[:1], home), socket.create_server(("127.0.0.1", 0)) as taken:
        code, error = refused("up", services[0], "--home", home, "--port", 0)
        assert (code, error["message"]) == (3, "another gateway of this home serves shop")
        assert error["hint"] == "use another --home"
        port = taken.getsockname()[1]
        code, error = refused("up", services[0], "--home", home, "--port", port)
        assert code == 3
        assert error["message"].startswith(f"cannot listen on 127.0.0.1:{port}: ")
        assert error["hint"] == "choose another --port"
