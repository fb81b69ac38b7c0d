"""The gRPC door of a gateway process, where one is asked for. The `grpc` extra is needed here and nowhere else."""

from importlib.util import find_spec

from flyball.app.wiring.serving.panes import complain
from flyball.core.declared.gateway_file import Tls
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.serving.serve.http.server import Beside
from flyball.serving.serve.http.tls import Certificates


def check(port: int | None, tls: Tls | None) -> None:
    """Raises: BadInput: a version of TLS that it cannot insist on. Unavailable: the extra is not installed."""
    if port is None:
        return
    if tls is not None and tls.minimum != "1.2":
        fault = Fault(
            where="command line",
            path="--grpc-port",
            expected='a gateway file with `tls.minimum: "1.2"`',
            found=tls.minimum,
            fix="the gRPC library cannot refuse TLS 1.2: leave the option out, or put a proxy in front of gRPC",
        )
        raise BadInput("flyball serve has a faulty option.", (fault,))
    if find_spec("grpc") is None or find_spec("google.protobuf") is None:
        raise Unavailable("gRPC needs an extra that is not installed", hint="pip install 'flyball[grpc]'")


def grpc_door(
    host: str, port: int | None, *, shared: bool = False, certificates: Certificates | None = None
) -> Beside | None:
    """None: not asked for. `shared`: several workers listen on this port. `certificates`: TLS, as the HTTP door has
    it. To be called in the event loop.

    Raises: Unavailable: the port is taken.
    """
    if port is None:
        return None
    from flyball.serving.serve.grpc_server import GrpcServer

    return GrpcServer(host, port, shared=shared, complain=complain, certificates=certificates)
