"""What `gateway.yaml` makes of a gateway: its guard, its bounds, its TLS, and their rotation without a restart."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from flyball.app import references
from flyball.app.declared import read_text
from flyball.contracts.declaration.gateway_file import parse
from flyball.core.access import EVERY, Denied, Grant
from flyball.core.clock import Clock
from flyball.core.declared.gateway_file import GatewayFile
from flyball.core.errors import BadInput, Fault
from flyball.serving.access import api_keys
from flyball.serving.access.refusals import Refusals
from flyball.serving.access.token_bucket import Buckets
from flyball.serving.protocols.needed import Need
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.http import tls
from flyball.serving.serve.http.bounds import Bounds
from flyball.serving.serve.http.credentials import Judged
from flyball.serving.serve.http.exchange import Scope
from flyball.serving.serve.http.guard import Guard
from flyball.serving.serve.http.server import Application

LOOK_S = 1.0  # how often the files of keys and certificates are looked at


@dataclass(frozen=True, kw_only=True)
class Secured:
    """A gateway file that was read, and the folder where its relative references begin."""

    file: GatewayFile
    folder: Path

    @property
    def bounds(self) -> Bounds:
        limits = self.file.limits
        return Bounds(
            header_bytes=limits.header_bytes,
            headers=limits.headers,
            body_bytes=limits.body_bytes,
            header_s=limits.header_s,
            body_s=limits.body_s,
            idle_s=limits.idle_s,
            connections=limits.connections,
        )

    @property
    def traced(self) -> bool:
        return self.file.telemetry.traces is not None

    def certificates(self) -> tls.Certificates | None:
        """None: no TLS. Raises: BadInput."""
        files = self._tls_files()
        return None if files is None else tls.Certificates(files)

    def guard(
        self,
        door: Application,
        clock: Clock,
        say: Callable[[str], None],
        services: Sequence[str],
        buckets: Buckets | None = None,
        needs: Callable[[str], Need | None] | None = None,
        own: Callable[[Scope], bool] = lambda _: False,
        refusals: Refusals | None = None,
    ) -> Guard | None:
        """`buckets`: of the rates, where several workers keep them together. `needs`: by path, where the door is not
        the gateway's. `own`: whether the home itself asks. `refusals`: where those are counted.

        None: anybody may ask. Raises: BadInput: keys that cannot be read."""
        auth, limits = self.file.auth, self.file.limits
        if auth.keys is None and auth.jwt is None:
            return None
        only = services[0] if len(services) == 1 else EVERY
        return Guard(
            door,
            self.judged(),
            clock,
            say,
            rate_rps=limits.rate_rps,
            burst=limits.burst,
            only=only,
            buckets=buckets,
            needs=needs,
            own=own,
            refusals=refusals,
        )

    def judged(self) -> Judged:
        """Who is let in, by the files as they are now. Raises: BadInput."""
        auth = self.file.auth
        entries: dict[str, api_keys.KeyEntry] = {}
        if auth.keys is not None:
            found = api_keys.read(references.content(auth.keys, self.folder), auth.keys)
            entries = {entry.id: entry for entry in found.keys}
        verifier = None
        if auth.jwt is not None:
            from flyball.adapters.jwt_tokens import TokenVerifier, key_set

            keys = key_set(references.content(auth.jwt.jwks, self.folder), auth.jwt.jwks)
            verifier = TokenVerifier(auth.jwt, keys)

        def judged(text: str, now: float) -> Grant | Denied:
            if text.startswith(api_keys.PREFIX) or verifier is None:
                return api_keys.granted(entries, text, now=now)
            return verifier.granted(text, now=now)

        return judged

    async def watch(
        self, guard: Guard | None, certificates: tls.Certificates | None, say: Callable[[str], None]
    ) -> None:
        """Until cancelled: take what was rotated. Files that are faulty are told, and the old ones stay in force."""
        complain = Complaints(say)
        keys, shown = self._stamps(guard is not None, False), self._stamps(False, certificates is not None)
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if guard is not None and (fresh := await asyncio.to_thread(self._stamps, True, False)) != keys:
                    guard.exchange(await asyncio.to_thread(self.judged))
                    keys = fresh
                    say("keys were read again")
            except BadInput as error:  # which is no reason to let the certificate run out
                complain(f"the old keys stay in force: {error}")
            try:
                files = self._tls_files()
                fresh = await asyncio.to_thread(self._stamps, False, True)
                if certificates is not None and files is not None and fresh != shown:
                    certificates.show(await asyncio.to_thread(certificates.read, files), files)
                    shown = fresh
                    say("the certificate was read again")
            except BadInput as error:
                complain(f"the old certificate stays in force: {error}")

    def _tls_files(self) -> tls.TlsFiles | None:
        declared = self.file.tls
        if declared is None:
            return None
        folder = self.folder
        return tls.TlsFiles(
            cert=references.place(declared.cert, folder),
            key=references.place(declared.key, folder),
            client_ca=references.place(declared.client_ca, folder) if declared.client_ca else None,
            minimum=declared.minimum,
        )

    def _stamps(self, of_keys: bool, of_certificates: bool) -> tuple[tuple[int, ...], ...]:
        auth, declared = self.file.auth, self.file.tls
        named: list[str | None] = []
        if of_keys:
            named += [auth.keys, auth.jwt.jwks if auth.jwt else None]
        if of_certificates and declared is not None:
            named += [declared.cert, declared.key]
        return tuple(references.stamp(each, self.folder) for each in named if each is not None)


def secured(gateway: Path | None, *, host: str) -> Secured | None:
    """The gateway file of a `serve` or `up`; None: none was named, which only a loopback address allows.

    Raises: BadInput: the file is faulty, or the address can be reached from elsewhere and nobody said who may ask.
    """
    if gateway is not None:
        found = Secured(file=parse(read_text(gateway, where=str(gateway)), file=gateway.name), folder=gateway.parent)
        if found.file.auth.off or found.file.auth.keys or found.file.auth.jwt:
            return found
    else:
        found = None
    if not on_loopback(host):
        expected = "an address of this machine alone, or a gateway file that says who may ask"
        fix = "--gateway gateway.yaml with auth, or with `auth: {off: true}` where the network lets in nobody else"
        raise BadInput(
            "Anybody who reaches this address could ask.",
            (Fault(where="command line", path="--host", expected=expected, found=host, fix=fix),),
        )
    return found


def on_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone.

    >>> on_loopback("127.0.0.1"), on_loopback("::1"), on_loopback("localhost"), on_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
