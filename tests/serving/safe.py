"""A gateway with everything that `gateway.yaml` can ask for, and the keys, tokens and raw bytes to try it with."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.serving.parts import CHAMPION, routing
from tests.serving.stage import PATIENCE_S, Stage, stage

from flyball.core.ids import ServiceName
from flyball.serving.access.api_keys import KeyEntry, KeyFile, made

ALONE: dict[str, Any] = {"candidate": None, "previous": None, "rollout": None, "guardrails": None, "step": None}
GATEWAY = """
apiVersion: flyball/v1
kind: Gateway
auth:
  keys: file:keys.json
  jwt: {jwks: "file:jwks.json", issuer: "https://id.example", audience: flyball, leeway_s: 0}
limits:
  {burst: 5, body_bytes: 20000, header_bytes: 8192, headers: 40, header_s: 5, body_s: 5, idle_s: 60, connections: 60}
"""


class Safe:
    """The stage, and who may come in."""

    def __init__(self, made_stage: Stage, folder: Path) -> None:
        self.stage, self.folder = made_stage, folder
        self.key, self.rsa = ECKey.generate_key("P-256", {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "rsa"})
        self.entries: dict[str, KeyEntry] = {}
        self.texts: dict[str, str] = {}
        self.log = folder / "stderr.txt"

    def add(self, name: str, *scopes: str, **options: Any) -> str:
        """A new key, in the file at once; the gateway takes it when it looks."""
        number = (len(self.texts) + 1).to_bytes(1, "big")
        self.texts[name], self.entries[name] = made(number * 54, scopes, now=0.0, **options)
        self.write_keys()
        return self.texts[name]

    def write_keys(self) -> None:
        data = KeyFile(keys=tuple(self.entries.values()))
        self._write("keys.json", msgspec.json.encode(data))

    def write_jwks(self, *keys: Any) -> None:
        self._write("jwks.json", json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode())

    def token(
        self, key: Any = None, alg: str = "ES256", *, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        claims: dict[str, Any] = {
            "iss": "https://id.example",
            "aud": "flyball",
            "sub": "ann@example.com",
            "exp": time.time() + 300,
            "scope": "shop:predict",
        }
        key = key or self.key
        return jwt.encode(
            {"alg": "ES256", "kid": key.kid} | (header or {}), claims | changes, key, algorithms=["ES256"]
        )

    def raw(self, data: bytes) -> bytes:
        """Bytes to the wire, and what comes back: one whole answer, or all until the gateway closes."""
        with socket.create_connection(("127.0.0.1", self.stage.port), timeout=PATIENCE_S) as wire:
            return talk(wire, data)

    def told(self) -> str:
        """What the operator was told so far."""
        return self.log.read_text(errors="replace")

    def _write(self, name: str, data: bytes) -> None:
        draft = self.folder / f"{name}.draft"
        draft.write_bytes(data)
        draft.replace(self.folder / name)


def talk(wire: socket.socket, data: bytes) -> bytes:
    """Send, then read one whole answer, or all until the other side closes where it says that it will."""
    got = b""
    try:
        wire.sendall(data)
        while not _whole(got) and (part := wire.recv(65_536)):
            got += part
    except (ConnectionResetError, BrokenPipeError):  # closed on us while we were still sending
        return got
    return got


def _whole(got: bytes) -> bool:
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and len(body) >= int(length[1]) and b"connection: close" not in head


@contextmanager
def safe(folder: Path, *, grpc_port: int | None = None, **options: Any) -> Iterator[Safe]:
    """Started, with two services and a key for each kind of client. `options`: of the stage."""
    with stage(folder, **options) as made_stage:
        made_stage.grpc_port = grpc_port
        one = Safe(made_stage, folder)
        made_stage.service("other")
        made_stage.release(CHAMPION)
        one.add("shop", "shop:predict", "shop:labels")
        one.add("other", "other:predict", "other:labels")
        one.add("watcher", "*:metrics")
        one.add("hasty", "shop:predict", rate_rps=0.001)
        one.add("late", "shop:predict", expires=1.0)
        one.write_jwks(one.key, one.rsa)
        (folder / "gateway.yaml").write_text(GATEWAY)
        made_stage.gateway = folder / "gateway.yaml"
        with one.log.open("wb") as log:
            made_stage.errors = log.fileno()
            made_stage.start()
            for name in ("shop", "other"):
                made_stage.control.apply(
                    f"first-{name}", routing(service=ServiceName(name), champion=CHAMPION, **ALONE)
                )
            yield one


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}
