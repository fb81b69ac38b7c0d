"""The option for gRPC: what it cannot be combined with, what it needs, and that two gateways do not share a port."""

import asyncio
import socket

import pytest

from flyball.app.wiring.serving import grpc_door
from flyball.core.declared.gateway_file import Tls
from flyball.core.errors import BadInput, Unavailable


def test_without_a_port_there_is_none() -> None:
    grpc_door.check(None, Tls(cert="file:c", key="file:k", minimum="1.3"))
    assert grpc_door.grpc_door("127.0.0.1", None) is None


def test_it_is_refused_together_with_a_version_of_tls_that_it_cannot_insist_on() -> None:
    grpc_door.check(8001, Tls(cert="file:c", key="file:k"))
    with pytest.raises(BadInput, match=r"minimum.*found 1\.3"):
        grpc_door.check(8001, Tls(cert="file:c", key="file:k", minimum="1.3"))


def test_it_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_door, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="extra") as caught:
        grpc_door.check(8001, None)
    assert "flyball[grpc]" in caught.value.hint


def test_a_port_that_is_taken_is_told() -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(Unavailable, match=f"127.0.0.1:{port} for gRPC"):
                grpc_door.grpc_door("127.0.0.1", port)

    asyncio.run(story())
