"""TLS for both doors: certificates that can be exchanged in use. HTTP takes them as a context, gRPC as PEM."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flyball.core.errors import BadInput, Fault

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Where certificates lie, PEM all of them."""

    cert: Path
    key: Path
    client_ca: Path | None = None  # given: every client needs a certificate that it signed
    minimum: str = "1.2"


@dataclass(frozen=True, kw_only=True)
class Pem:
    """What is shown to clients, and who signs theirs."""

    chain: bytes
    key: bytes
    client_ca: bytes | None = None


class Certificates:
    """Those that are in force, the same bytes at both doors. What has been made of them follows an exchange."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises: BadInput: a file cannot be read or does not fit the others."""
        self.pem = _pem(files)
        self.context = _context(self.pem, files)

    def exchange(self, files: TlsFiles) -> None:
        """From the next handshake on the certificate of these files; open connections keep theirs. Who signs the
        clients' stays. Raises: BadInput: the old one stays in force, for HTTP and for gRPC."""
        self.show(self.read(files), files)

    def read(self, files: TlsFiles) -> Pem:
        """The first half of an exchange, in any thread: what the files hold now, tried. Raises: BadInput."""
        fresh = _pem(replace(files, client_ca=None))
        _context(fresh, files)  # a context that refuses a key has lost its certificate: one that serves is not tried on
        return fresh

    def show(self, fresh: Pem, files: TlsFiles) -> None:
        """The second half, in the thread that makes the handshakes: between the chain and its key the context has none
        that fit, and a handshake in that moment would fail."""
        _show(self.context, fresh, files)
        self.pem = replace(fresh, client_ca=self.pem.client_ca)


def context(files: TlsFiles) -> ssl.SSLContext:
    """For a server: TLS 1.2 or newer. Raises: BadInput: a file cannot be read or does not fit the others."""
    return _context(_pem(files), files)


def _context(pem: Pem, files: TlsFiles) -> ssl.SSLContext:
    """`files`: where the bytes came from. Raises: BadInput: they do not fit each other."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = _VERSIONS[files.minimum]
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    _show(made, pem, files)
    if pem.client_ca is not None and files.client_ca is not None:
        try:
            with _named(pem.client_ca) as name:
                made.load_verify_locations(name)
        except (OSError, ssl.SSLError) as error:
            raise _faulty(files.client_ca, "certificates, PEM", error) from error
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def _show(made: ssl.SSLContext, pem: Pem, files: TlsFiles) -> None:
    """From the next handshake on. Raises: BadInput: the chain and the key are not of each other."""
    try:
        with _named(pem.chain) as chain, _named(pem.key) as key:
            made.load_cert_chain(chain, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise _faulty(files.cert, f"a certificate chain, PEM, and its key in {files.key}", error) from error


@contextmanager
def _named(content: bytes) -> Iterator[str]:
    """A path to these bytes, for OpenSSL, which reads files only. It lies in memory: no key is left on a disk."""
    with os.fdopen(os.memfd_create("flyball-tls"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _pem(files: TlsFiles) -> Pem:
    """What the files hold now; each is read once. Raises: BadInput: one cannot be read."""
    found: dict[str, bytes] = {}
    for name, path in (("chain", files.cert), ("key", files.key), ("client_ca", files.client_ca)):
        if path is None:
            continue
        try:
            found[name] = path.read_bytes()
        except OSError as error:
            raise _faulty(path, "a file, PEM", error) from error
    return Pem(**found)


def _no_password() -> str:
    """Instead of a question at a terminal where nobody sits."""
    raise ValueError("the private key has a password")


def _faulty(path: Path, expected: str, error: Exception) -> BadInput:
    found = error.strerror or error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
    fault = Fault(where=str(path), path="(file)", expected=expected, found=str(found or type(error).__name__))
    return BadInput("TLS cannot be set up.", (fault,))
