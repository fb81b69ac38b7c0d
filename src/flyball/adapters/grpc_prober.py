"""The same question as a probe's over gRPC: one call on a channel of its own, and whether it was answered in time.

The call is made in a thread: a channel of the library's own event loop belongs to one loop of the process for good.
Needs the `grpc` extra.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.x509.oid import NameOID

from flyball.core.surroundings import Probed

_ALONE = [("grpc.use_local_subchannel_pool", 1)]  # a new connection each time, as a new client has


class GrpcProber:
    """One gateway's gRPC door. `certificate`: file of the chain that it shows; None: no TLS."""

    def __init__(self, address: str, certificate: str | None, *, timeout_s: float) -> None:
        self._address, self._certificate, self._timeout_s = address, certificate, timeout_s

    async def ask(self, endpoint: str, method: str, body: bytes, metadata: Mapping[str, str]) -> Probed:
        """`method`: as `/package.Service/Method`; `body`: its message. Whatever goes wrong is the finding."""
        at, since = time.time(), time.monotonic()
        said = await asyncio.to_thread(self._said, method, body, tuple(metadata.items()))
        latency_ms = (time.monotonic() - since) * 1000.0
        return Probed(endpoint=endpoint, at=at, ok=not said, latency_ms=latency_ms, said=said)

    def _said(self, method: str, body: bytes, metadata: tuple[tuple[str, str], ...]) -> str:
        """What was wrong; empty: nothing."""
        try:
            with self._channel() as channel:
                call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
                call(body, timeout=self._timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            if not isinstance(error, grpc.Call):
                return f"{type(error).__name__}: {error}"
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                return f"no answer within {self._timeout_s:g} s"
            return f"code {error.code().name}: {(error.details() or '')[:200]}"
        except (OSError, ValueError) as error:  # the certificate's file
            return f"{type(error).__name__}: {error}"
        return ""

    def _channel(self) -> grpc.Channel:
        if self._certificate is None:
            return grpc.insecure_channel(self._address, options=_ALONE)
        pem = Path(self._certificate).read_bytes()
        # this very certificate is believed, whatever name it has: the gateway is asked by its address
        named = [("grpc.ssl_target_name_override", name_in(pem))]
        return grpc.secure_channel(self._address, grpc.ssl_channel_credentials(pem), options=_ALONE + named)


def name_in(pem: bytes) -> str:
    """A name that the first certificate of a chain is for. Raises: ValueError: it is none, or has no name."""
    leaf = x509.load_pem_x509_certificates(pem)[0]
    names: list[str] = []
    with suppress(x509.ExtensionNotFound):  # an old certificate: its subject is its name
        given = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += [one.removeprefix("*.") for one in given.get_values_for_type(x509.DNSName)]
        names += [str(one) for one in given.get_values_for_type(x509.IPAddress)]
    names += [str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not names:
        raise ValueError("the gateway's certificate is for no name")
    return names[0]
