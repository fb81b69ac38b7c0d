"""TLS by configuration: who is let in, over which versions, and a certificate that is rotated while it serves."""

import contextlib
import http.client
import os
import queue
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.serving.certificates import Authority
from tests.serving.stage import PATIENCE_S, Stage, free_port, stage, until

from flyball.core.errors import BadInput
from flyball.serving.serve.http.tls import Certificates, Pem, TlsFiles, context

GATEWAY = """
apiVersion: flyball/v1
kind: Gateway
auth: {off: true}
tls: {cert: "file:server.crt", key: "file:server.key", client_ca: "file:clients.pem"}
"""


class Door:
    """The stage, and two authorities: one whom clients trust, one whom the gateway trusts."""

    def __init__(self, made: Stage, folder: Path) -> None:
        self.stage, self.folder = made, folder
        self.servers, self.clients = Authority(folder, "servers"), Authority(folder, "clients")
        self.servers.leaf("server")
        self.cert, self.key = self.clients.leaf("client")
        self.foreign = Authority(folder, "foreign").leaf("stranger")

    def ask(self, leaf: tuple[Path, Path] | None, **versions: ssl.TLSVersion) -> tuple[int, bytes]:
        """Status of /livez, and the certificate that the gateway showed, DER."""
        client = ssl.create_default_context(cafile=self.servers.file)
        for name, version in versions.items():
            setattr(client, name, version)
        if leaf is not None:
            client.load_cert_chain(*leaf)
        wire = http.client.HTTPSConnection("127.0.0.1", self.stage.port, context=client, timeout=PATIENCE_S)
        try:
            wire.request("GET", "/livez")
            assert isinstance(wire.sock, ssl.SSLSocket)
            shown = wire.sock.getpeercert(binary_form=True)
            return wire.getresponse().status, shown or b""
        finally:
            wire.close()

    def call(self, leaf: tuple[Path, Path] | None, authority: Authority | None = None) -> bool:
        """Whether the gateway says over gRPC that it lives. Raises: grpc.RpcError: it does not let us in."""
        grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")
        from flyball.serving.serve.grpc_messages import SERVICE, messages

        chain, key = (path.read_bytes() for path in leaf) if leaf is not None else (None, None)
        trusted = grpc.ssl_channel_credentials((authority or self.servers).file.read_bytes(), key, chain)
        with grpc.secure_channel(f"127.0.0.1:{self.stage.grpc_port}", trusted) as channel:
            known = messages()
            ask = channel.unary_unary(
                f"/{SERVICE}/ServerLive",
                request_serializer=known["ServerLiveRequest"].SerializeToString,
                response_deserializer=known["ServerLiveResponse"].FromString,
            )
            return bool(ask(known["ServerLiveRequest"](), timeout=PATIENCE_S).live)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("tls")
    with stage(folder) as made:
        one = Door(made, folder)
        (folder / "gateway.yaml").write_text(GATEWAY)
        made.gateway = folder / "gateway.yaml"
        made.grpc_port = free_port()
        made.start()
        yield one


def test_a_client_with_a_certificate_of_the_authority_is_let_in(door: Door) -> None:
    assert door.ask((door.cert, door.key))[0] == 200


@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_a_client_without_one_or_of_another_authority_is_not(door: Door, who: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        door.ask(None if who == "nobody" else door.foreign)


def test_an_old_version_is_refused_and_the_newest_spoken(door: Door) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises((ssl.SSLError, ConnectionError)):
        door.ask((door.cert, door.key), maximum_version=ssl.TLSVersion.TLSv1_1)
    assert door.ask((door.cert, door.key), minimum_version=ssl.TLSVersion.TLSv1_3)[0] == 200


def test_a_certificate_is_rotated_without_a_restart(door: Door) -> None:
    before = door.ask((door.cert, door.key))[1]
    pid = door.stage.pid
    door.servers.leaf("server")
    until(lambda: door.ask((door.cert, door.key))[1] != before, "the new certificate is shown")
    assert door.stage.pid == pid


def test_grpc_lets_in_whom_http_lets_in(door: Door) -> None:
    grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")
    assert door.call((door.cert, door.key))
    for leaf in (None, door.foreign):
        with pytest.raises(grpc.RpcError) as refused:
            door.call(leaf)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    with grpc.insecure_channel(f"127.0.0.1:{door.stage.grpc_port}") as channel:
        plain = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        with pytest.raises(grpc.RpcError) as refused:
            plain(b"", timeout=PATIENCE_S)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_grpc_shows_the_rotated_certificate_too(door: Door) -> None:
    grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")
    pid, old = door.stage.pid, door.servers
    assert door.call((door.cert, door.key), old)
    door.servers = Authority(door.folder, "later")
    door.servers.leaf("server")

    def shown() -> bool:
        try:
            return door.call((door.cert, door.key))
        except grpc.RpcError:
            return False

    until(shown, "the certificate of the later authority is shown")
    with pytest.raises(grpc.RpcError):
        door.call((door.cert, door.key), old)
    assert door.ask((door.cert, door.key))[0] == 200
    assert door.stage.pid == pid


def shown_to(authority: Authority, certificates: Certificates) -> bytes:
    """The certificate, DER, of a handshake in memory with the context that HTTP has."""
    trusting = ssl.create_default_context(cafile=authority.file)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = certificates.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return client.getpeercert(binary_form=True) or b""


@pytest.mark.parametrize("fault", ["no certificate", "no key", "a certificate whose key is not yet there"])
def test_files_that_cannot_be_taken_leave_the_old_certificate_at_both_doors(fault: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    cert, key = authority.leaf("one")
    certificates = Certificates(TlsFiles(cert=cert, key=key))
    before, shown = certificates.pem, shown_to(authority, certificates)
    assert shown == ssl.PEM_cert_to_DER_cert(before.chain.decode())
    two, its_key = authority.leaf("two")
    fresh = TlsFiles(cert=two, key=its_key)
    faulty = {
        "no certificate": replace(fresh, cert=tmp_path / "away"),
        "no key": replace(fresh, key=tmp_path / "away"),
        "a certificate whose key is not yet there": replace(fresh, key=key),
    }
    with pytest.raises(BadInput, match=str(tmp_path)):
        certificates.exchange(faulty[fault])
    assert certificates.pem is before
    assert shown_to(authority, certificates) == shown
    certificates.exchange(fresh)
    assert shown_to(authority, certificates) == ssl.PEM_cert_to_DER_cert(two.read_text())
    assert (certificates.pem.chain, certificates.pem.key) == (two.read_bytes(), its_key.read_bytes())


def test_no_handshake_fails_while_another_certificate_is_read_and_shown(tmp_path: Path) -> None:
    """Red before: the whole exchange ran in a thread beside the handshakes, and three of four failed in it."""
    authority = Authority(tmp_path, "authority")
    both = [TlsFiles(cert=cert, key=key) for cert, key in (authority.leaf("one"), authority.leaf("two"))]
    certificates, fresh = Certificates(both[0]), queue.SimpleQueue[tuple[Pem, TlsFiles]]()

    def read() -> None:
        for number in range(20):
            files = both[number % 2]
            fresh.put((certificates.read(files), files))

    thread = threading.Thread(target=read)
    thread.start()
    exchanged = 0
    while thread.is_alive() or not fresh.empty():
        assert shown_to(authority, certificates) == ssl.PEM_cert_to_DER_cert(certificates.pem.chain.decode())
        with contextlib.suppress(queue.Empty):
            certificates.show(*fresh.get_nowait())
            exchanged += 1
    thread.join()
    assert exchanged == 20


def test_both_doors_show_what_was_read_once(tmp_path: Path) -> None:
    """A file that is written anew between two readings: here one that is empty after the first."""
    authority = Authority(tmp_path, "authority")
    cert, key = authority.leaf("one")
    certificates = Certificates(TlsFiles(cert=cert, key=key))
    two, its_key = authority.leaf("two")
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(two.read_bytes())
    try:
        certificates.exchange(TlsFiles(cert=Path(f"/proc/self/fd/{reading}"), key=its_key))
    finally:
        os.close(reading)
    assert certificates.pem.chain == two.read_bytes()
    assert shown_to(authority, certificates) == ssl.PEM_cert_to_DER_cert(two.read_text())


def test_who_signs_the_clients_certificates_stays_in_an_exchange(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "authority"), Authority(tmp_path, "other")
    cert, key = authority.leaf("one")
    certificates = Certificates(TlsFiles(cert=cert, key=key, client_ca=authority.file))
    certificates.exchange(TlsFiles(cert=cert, key=key, client_ca=other.file))
    assert certificates.pem.client_ca == authority.file.read_bytes()
    assert certificates.context.get_ca_certs(binary_form=True) == [ssl.PEM_cert_to_DER_cert(authority.file.read_text())]


def test_files_that_do_not_fit_are_told_by_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    (cert, key), (_, other) = authority.leaf("one"), authority.leaf("two")
    assert context(TlsFiles(cert=cert, key=key)).minimum_version == ssl.TLSVersion.TLSv1_2
    for wrong in (
        TlsFiles(cert=cert, key=other),
        TlsFiles(cert=tmp_path / "away", key=key),
        TlsFiles(cert=key, key=key),
        TlsFiles(cert=cert, key=key, client_ca=key),
    ):
        with pytest.raises(BadInput) as refused:
            context(wrong)
        assert str(tmp_path) in str(refused.value)
