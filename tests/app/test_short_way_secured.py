"""A gateway file with nothing that wants to see every request leaves most of them their short way, over TLS too."""

import asyncio
import json
import os
import signal
import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.serving.certificates import Authority
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.serve.http.test_short_way import PATH, read, request
from tests.serving.stage import PATIENCE_S, FolderReleases, Stage

from flyball.app.declared import load
from flyball.app.wiring.serving.gateway import assemble, serve_secured
from flyball.app.wiring.serving.secured import secured
from flyball.decide.rollout import judge
from flyball.serving.serve.http import server
from flyball.serving.serve.http.server import bound
from flyball.serving.serve.http.short_way import ShortWayProtocol

FILE = """
apiVersion: flyball/v1
kind: Gateway
auth: {off: true}
tls: {cert: "file:server.crt", key: "file:server.key"}
limits: {idle_s: 30}
"""
ALONE: dict[str, Any] = {"candidate": None, "previous": None, "rollout": None, "guardrails": None, "step": None}


@pytest.mark.parametrize(("more", "short"), [("", True), ("telemetry: {access_log: true}\n", False)])
def test_only_what_wants_to_see_every_request_keeps_rows_from_the_short_way(
    more: str, short: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[type] = []

    def config_of(*arguments: Any) -> Any:
        config = _config_of(*arguments)
        made.append(config.http)  # type: ignore[arg-type]
        return config

    _config_of = server.config_of
    monkeypatch.setattr(server, "config_of", config_of)
    stage, authority = Stage(tmp_path), Authority(tmp_path, "servers")
    stage.release(CHAMPION)
    authority.leaf("server")
    (tmp_path / "sockets").mkdir()
    (tmp_path / "gateway.yaml").write_text(FILE + more)
    asked_for = secured(tmp_path / "gateway.yaml", host="0.0.0.0")
    assert asked_for is not None
    services, releases = [load(each) for each in stage.services], FolderReleases(stage.home.root)
    loader = "tests.serving.obedient:load"
    door = assemble(services, stage.home, releases, judge, sockets=tmp_path / "sockets", loader=loader)
    long: list[str] = []
    route = door._route

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        long.append(scope["path"])
        await route(scope, receive, send)

    monkeypatch.setattr(door, "_route", counted)

    async def story() -> None:
        ready, listener = asyncio.Event(), bound("127.0.0.1", 0)
        certificates = asked_for.certificates()
        serving = asyncio.create_task(
            serve_secured(asked_for, door, listener, ready.set, certificates=certificates, services=["shop"])
        )
        async with asyncio.timeout(PATIENCE_S):
            await ready.wait()
            await asyncio.to_thread(stage.control.apply, "first", routing(**ALONE))
            trust = ssl.create_default_context(cafile=authority.file)
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2], ssl=trust)
            asked = 0
            while asked == len(long) and asked < 50:  # the first answers tell how quick the champion is
                writer.write(request(json.dumps(row()).encode()))
                status, _, body = await read(reader)
                assert (status, body["predictions"][0]["arm"]) == (200, "champion")
                asked += 1
            writer.close()
            os.kill(os.getpid(), signal.SIGTERM)
            await serving
        assert (asked > len(long)) is short
        assert set(long) == {PATH}

    asyncio.run(story())
    assert [issubclass(one, ShortWayProtocol) for one in made] == [short]
