"""Who may ask, from the command line: an address that others reach is refused without a word on it; keys are made."""

import asyncio
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.serving.certificates import Authority
from tests.serving.stage import CONTRACT, PATIENCE_S, SERVICE, until

from flyball.adapters.clock import SystemClock
from flyball.app.cli.main import run
from flyball.app.wiring.serving import secured as wiring
from flyball.app.wiring.serving.key_file import add, remove
from flyball.app.wiring.serving.secured import secured
from flyball.core.access import Denied, Grant
from flyball.core.errors import BadInput

HEAD = "apiVersion: flyball/v1\nkind: Gateway\n"


def test_an_address_that_others_reach_is_refused_until_somebody_says_who_may_ask(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    for host in ("127.0.0.1", "::1", "localhost"):
        assert secured(None, host=host) is None
    for host in ("0.0.0.0", "::", "10.1.2.3", "gateway.internal"):
        with pytest.raises(BadInput, match="--gateway"):
            secured(None, host=host)
        file.write_text(HEAD + "limits: {burst: 7}\n")
        with pytest.raises(BadInput, match="--gateway"):
            secured(file, host=host)
        for auth in ("{off: true}", "{keys: 'file:keys.json'}"):
            file.write_text(f"{HEAD}auth: {auth}\n")
            assert secured(file, host=host) is not None


@pytest.mark.parametrize("verb", ["serve", "up"])
def test_the_command_refuses_before_anything_is_trained_or_opened(
    verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([verb, str(tmp_path), "--host", "0.0.0.0", "--json"]) == 2
    assert "--host" in capfd.readouterr().out


def test_keys_are_made_listed_and_dropped_and_the_file_lets_them_in(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*words: str) -> Any:
        code = run(["keys", *words, "--json"])
        return code, json.loads(capfd.readouterr().out)

    monkeypatch.chdir(tmp_path)
    _, one = told("new", "--scope", "predict,labels", "--service", "shop")
    _, other = told("new", "--scope", "metrics", "--days", "1", "--rate-rps", "2", "--note", "prometheus")
    assert (one["scopes"], other["scopes"]) == (["shop:predict", "shop:labels"], ["*:metrics"])
    file = tmp_path / "keys.json"
    assert file.stat().st_mode & 0o077 == 0
    assert one["key"].rpartition("_")[2] not in file.read_text()
    _, known = told("list")
    assert [(key["id"], key["expired"]) for key in known["keys"]] == [(one["id"], False), (other["id"], False)]

    (tmp_path / "gateway.yaml").write_text(HEAD + "auth: {keys: 'file:keys.json'}\n")
    found = secured(tmp_path / "gateway.yaml", host="0.0.0.0")
    assert found is not None
    assert isinstance(found.judged()(one["key"], 0.0), Grant)
    assert told("drop", one["id"]) == (0, {"dropped": one["id"]})
    assert isinstance(found.judged()(one["key"], 0.0), Denied)
    assert isinstance(found.judged()(other["key"], 0.0), Grant)
    assert told("drop", one["id"])[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        ["new", "--scope", "everything"],
        ["new", "--scope", ","],
        ["new", "--scope", "predict", "--days", "0"],
        ["new", "--scope", "predict", "--service", "A B"],
        ["list", "--keys", "away.json"],
        ["new", "--scope", "predict", "--keys", "nowhere/keys.json"],
    ],
)
def test_a_faulty_command_makes_no_key(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["keys", *words]) == 2
    assert not (tmp_path / "keys.json").exists()


def test_references_that_lead_nowhere_are_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYS_OF_NOBODY", raising=False)
    (tmp_path / "gateway.yaml").write_text(HEAD + "auth: {keys: 'env:KEYS_OF_NOBODY'}\n")
    found = secured(tmp_path / "gateway.yaml", host="127.0.0.1")
    assert found is not None
    with pytest.raises(BadInput, match="KEYS_OF_NOBODY"):
        found.judged()
    monkeypatch.setenv("KEYS_OF_NOBODY", "hunter2")
    with pytest.raises(BadInput) as refused:
        found.judged()
    assert "hunter2" not in str(refused.value)


def test_faulty_keys_do_not_keep_a_certificate_from_being_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "LOOK_S", 0.01)
    authority = Authority(tmp_path, "servers")
    authority.leaf("server")
    add(tmp_path / "keys.json", ["shop:predict"], days=None, rate_rps=None, note="")
    tls = "tls: {cert: 'file:server.crt', key: 'file:server.key'}\n"
    (tmp_path / "gateway.yaml").write_text(HEAD + tls + "auth: {keys: 'file:keys.json'}\n")
    found = secured(tmp_path / "gateway.yaml", host="127.0.0.1")
    assert found is not None

    async def door(*_: Any) -> None:
        """Nobody asks."""

    async def story() -> list[str]:
        said: list[str] = []
        guard = found.guard(door, SystemClock(), said.append, ["shop"])
        watch = asyncio.create_task(found.watch(guard, found.certificates(), said.append))
        await asyncio.sleep(0)  # it has seen the files as they are
        (tmp_path / "keys.json").write_text("{")
        authority.leaf("server")
        async with asyncio.timeout(PATIENCE_S):
            while "the certificate was read again" not in said:
                await asyncio.sleep(0.01)
        watch.cancel()
        return said

    assert any(message.startswith("the old keys stay in force") for message in asyncio.run(story()))


def test_every_worker_of_a_gateway_speaks_tls_asks_and_takes_rotated_keys(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in declared("shop").items():
        (folder / name).write_text(text)
    keys = tmp_path / "keys.json"
    text, entry = add(keys, ["shop:predict"], days=None, rate_rps=None, note="")
    authority = Authority(tmp_path, "servers")
    authority.leaf("server")
    tls = "tls: {cert: 'file:server.crt', key: 'file:server.key'}\n"
    (tmp_path / "gateway.yaml").write_text(HEAD + tls + "auth: {keys: 'file:keys.json'}\n")
    trust = ssl.create_default_context(cafile=authority.file)
    words = ["serve", str(folder), "--home", str(tmp_path / "home"), "--port", "0", "--json", "--workers", "2"]
    command = [sys.executable, "-m", "flyball.app.cli", *words, "--gateway", str(tmp_path / "gateway.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as gateway:
        try:
            assert gateway.stdout is not None
            url = json.loads(gateway.stdout.readline())["url"]

            assert url.startswith("https://")

            def statuses(key: str) -> set[int]:
                """Of many connections, so that each worker has some."""
                return {ask(f"{url}/v1/services/shop/predict", key, trust) for _ in range(40)}

            assert statuses("fbk_000000000000_guessed") == {401}
            assert statuses(text) == {503}  # let in, and told that there is no release yet
            remove(keys, entry.id)
            until(lambda: statuses(text) == {401}, "both workers refuse the dropped key")
        finally:
            gateway.terminate()


def ask(url: str, key: str, trust: ssl.SSLContext) -> int:
    request = urllib.request.Request(url, b'{"card": "c", "amount": 1}', {"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=60, context=trust) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def declared(name: str) -> dict[str, str]:
    return {
        "service.yaml": SERVICE.replace("name: shop", f"name: {name}"),
        "contract.yaml": CONTRACT,
        "model.py": "def train(features, label, *, config, seed): ...\n",
        "orders.csv": "card,amount,items,fraud\nc,1.0,1,0\n",
    }
