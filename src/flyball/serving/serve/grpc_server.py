"""The Open Inference Protocol over gRPC, beside the HTTP door and through it.

Every call becomes a request to the same application that HTTP calls, guard included, in this process and without a
socket: metadata are the headers, the deadline of the call is the client's deadline, a status becomes a code.
A call that its client cancels goes on all the same: its rows wait in an arm, and a client that has lost interest is no
failure of the arm.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

import grpc
import msgspec

from flyball.core.errors import BadInput, Unavailable
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.grpc_infer import body_of, reply_of
from flyball.serving.protocols.terms import DEADLINE
from flyball.serving.serve.complaints import where_raised
from flyball.serving.serve.grpc_messages import METHODS, SERVICE, messages
from flyball.serving.serve.http.exchange import MAX_BODY_BYTES, Receive, Scope, Send
from flyball.serving.serve.http.tls import Certificates, Pem

DRAIN_S = 10.0
MOST_CALLS = 1_000  # at once; more are refused with RESOURCE_EXHAUSTED
OURS = 0.9  # of the time that a call has left: the answer has its way to go, too
_LONGEST_MS = 86_400_000.0
_JSON_BYTES = "inference-header-content-length"
_CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_Answer = tuple[int, dict[str, str], bytes]


class GrpcServer:
    """The port is taken at once; calls are answered from `start` on.

    Where the port is shared, nothing listens before `start`: the kernel would give calls to a worker that is not warm,
    and leave them there while others could answer. It is held by a socket that is bound and does not listen.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        shared: bool = False,
        complain: Callable[[str], None] = print,
        certificates: Certificates | None = None,
    ) -> None:
        """Port 0 takes a free one. `shared`: with other processes that say so too. `complain`: told of faults of ours.
        `certificates`: TLS with these, whatever they are at a handshake; None: in the clear.

        Raises: Unavailable.
        """
        self._complain = complain
        self._calls: _Calls | None = None
        self._credentials = None if certificates is None else credentials(certificates)
        options = [("grpc.max_receive_message_length", MAX_BODY_BYTES), ("grpc.so_reuseport", int(shared))]
        self._server = grpc.aio.server(options=options, maximum_concurrent_rpcs=MOST_CALLS)
        shown = f"[{host}]" if ":" in host else host
        self._address = f"{shown}:{port}"
        self._held: socket.socket | None = None
        try:
            if shared:
                self._held = _held(host, port)
                self.port = self._held.getsockname()[1]
                self._address = f"{shown}:{self.port}"
            else:
                self.port = self._listen()
        except (RuntimeError, OSError) as error:
            raise Unavailable(f"cannot listen on {host}:{port} for gRPC", hint="choose another --grpc-port") from error

    async def start(self, application: Application) -> None:
        """From here on calls are answered by this application."""
        calls = self._calls = _Calls(application)
        known = messages()
        handlers = {
            method: grpc.unary_unary_rpc_method_handler(
                self._answering(getattr(calls, method)),
                request_deserializer=known[f"{method}Request"].FromString,
                response_serializer=known[f"{method}Response"].SerializeToString,
            )
            for method in METHODS
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        if self._held is not None:
            self._listen()
        await self._server.start()

    async def stop(self) -> None:
        """Take no more calls, finish those under way."""
        await self._server.stop(DRAIN_S)
        if self._calls is not None and self._calls.under_way:
            await asyncio.wait(self._calls.under_way, timeout=DRAIN_S)
        if self._held is not None:
            self._held.close()

    def _listen(self) -> int:
        """The port that was taken. Raises: RuntimeError: it could not be."""
        port: int
        if self._credentials is None:
            port = self._server.add_insecure_port(self._address)
        else:
            port = self._server.add_secure_port(self._address, self._credentials)
        return port

    def _answering(self, call: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        """A fault of ours is one for the client too; its place goes to the operator, its text, which may quote a row,
        to nobody."""

        async def answer(request: Any, context: Any) -> Any:
            try:
                return await call(request, context)
            except grpc.aio.AbortError:  # a refusal that has been sent
                raise
            except Exception as error:
                self._complain(f"gRPC {call.__name__}: {where_raised(error)}")
                return await context.abort(grpc.StatusCode.INTERNAL, "internal error")

        return answer


def credentials(certificates: Certificates) -> Any:
    """For a server: asked for at each handshake, so that a rotated certificate is shown from the next one on."""
    given = certificates.pem

    def fetched() -> Any:
        nonlocal given
        now = certificates.pem
        if now is given:
            return None  # as before
        given = now
        return _configuration(now)

    required = given.client_ca is not None
    return grpc.dynamic_ssl_server_credentials(_configuration(given), fetched, require_client_authentication=required)


def _configuration(pem: Pem) -> Any:
    return grpc.ssl_server_certificate_configuration([(pem.key, pem.chain)], root_certificates=pem.client_ca)


def _held(host: str, port: int) -> socket.socket:
    """A socket that is bound and does not listen. Raises: OSError: somebody has the port who does not share it."""
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError:
        held.close()
        raise
    return held


class _Calls:
    """One method of the service each, by its own name."""

    def __init__(self, application: Application) -> None:
        self._application, self._messages = application, messages()
        self.under_way: set[asyncio.Future[None]] = set()  # also those whose client has gone

    async def ServerLive(self, _: Any, context: Any) -> Any:
        status, _, _ = await self._ask("GET", "/v2/health/live", context)
        return self._messages["ServerLiveResponse"](live=status == 200)

    async def ServerReady(self, _: Any, context: Any) -> Any:
        status, _, _ = await self._ask("GET", "/v2/health/ready", context)
        return self._messages["ServerReadyResponse"](ready=status == 200)

    async def ModelReady(self, request: Any, context: Any) -> Any:
        """A model that there is not is not ready, as Triton's HTTP client sees it."""
        path = await _path(request.name, request.version, context)
        answer = await self._ask("GET", f"{path}/ready", context)
        if answer[0] not in (200, 404, 503):
            await _refuse(answer, context)
        return self._messages["ModelReadyResponse"](ready=answer[0] == 200)

    async def ServerMetadata(self, _: Any, context: Any) -> Any:
        about = await self._told("/v2", context)
        return self._messages["ServerMetadataResponse"](**about)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        about = await self._told(await _path(request.name, request.version, context), context)
        if about.get("name") != request.name:  # a path of the protocol that is no model's, as /v2/models/stats
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.name!r}")
        return self._messages["ModelMetadataResponse"](**about)

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        path = await _path(request.model_name, request.model_version, context)
        try:
            body, json_bytes = body_of(request)
        except BadInput as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, line(error))
        headers = {_JSON_BYTES: str(json_bytes)}
        answer = await self._ask("POST", f"{path}/infer", context, body, headers)
        if answer[0] != 200:
            await _refuse(answer, context)
        if _JSON_BYTES not in answer[1]:  # a probe of the home itself: that the champion answered is the answer
            return self._messages["ModelInferResponse"](model_name=request.model_name)
        raw = len(request.raw_input_contents) > 0
        return reply_of(answer[2], int(answer[1][_JSON_BYTES]), self._messages, raw=raw)

    async def _told(self, path: str, context: Any) -> dict[str, Any]:
        answer = await self._ask("GET", path, context)
        if answer[0] != 200:
            await _refuse(answer, context)
        told: dict[str, Any] = msgspec.json.decode(answer[2])
        return told

    async def _ask(
        self, method: str, path: str, context: Any, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> _Answer:
        """Ask the application as HTTP would."""
        given = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
        left = context.time_remaining()
        if left is not None and DEADLINE not in given:
            given[DEADLINE] = f"{min(max(0.0, left * OURS * 1000.0), _LONGEST_MS):.3f}"
        given.pop("accept-encoding", None)
        given.pop("content-encoding", None)
        given |= headers or {}
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in given.items()]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope: Scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
        scope["client"] = client_of(context.peer())
        answering = asyncio.ensure_future(self._application(scope, receive, send))
        self.under_way.add(answering)
        answering.add_done_callback(self.under_way.discard)
        await asyncio.shield(answering)
        back = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return sent[0]["status"], back, b"".join(message.get("body", b"") for message in sent[1:])


def client_of(peer: str) -> tuple[str, int] | None:
    """Address and port of who calls, as ASGI names them; None: not by TCP.

    >>> client_of("ipv4:10.0.0.7:5123"), client_of("ipv6:%5B::1%5D:5123"), client_of("unix:/run/it")
    (('10.0.0.7', 5123), ('::1', 5123), None)
    """
    kind, _, rest = unquote(peer).partition(":")
    host, _, port = rest.rpartition(":")
    return (host.strip("[]"), int(port)) if kind in ("ipv4", "ipv6") and port.isdigit() else None


async def _path(name: str, version: str, context: Any) -> str:
    """The model's path; a name that is more than one step of it is no model's."""
    if not name or "/" in name + version:
        await context.abort(grpc.StatusCode.NOT_FOUND, f"no model {name!r} in version {version!r}")
    return f"/v2/models/{name}/versions/{version}" if version else f"/v2/models/{name}"


async def _refuse(answer: _Answer, context: Any) -> None:
    """End the call with the code and the words of a refusal."""
    status, headers, body = answer
    after = headers.get("retry-after")
    code = _CODES.get(status, grpc.StatusCode.INTERNAL)
    words = msgspec.json.decode(body)["error"]
    await context.abort(code, words, (("retry-after", after),) if after else ())
