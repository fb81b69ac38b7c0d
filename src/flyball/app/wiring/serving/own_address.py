"""Where a gateway answers, left in its home for the controller's probes."""

import os
from urllib.parse import urlsplit

from flyball.adapters.gateway_address import Address, write_address
from flyball.app import references
from flyball.app.home import Home
from flyball.app.wiring.serving.panes import complain
from flyball.app.wiring.serving.secured import Secured

ANYWHERE = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}


def told_where(home: Home, url: str, secured: Secured | None, grpc_port: int | None = None) -> None:
    """`grpc_port`: of the same host; None: no gRPC. That it cannot be written costs the probes, and is told."""
    for every, here in ANYWHERE.items():
        url = url.replace(every, here)
    tls = secured.file.tls if secured is not None else None
    certificate = None
    if secured is not None and tls is not None and not tls.cert.startswith("env:"):
        certificate = str(references.place(tls.cert, secured.folder).resolve())
    asks = tls is not None and tls.client_ca is not None
    address = Address(
        url=url,
        pid=os.getpid(),
        grpc=None if grpc_port is None else f"{urlsplit(url).netloc.rpartition(':')[0]}:{grpc_port}",
        certificate=certificate,
        asks_certificate=asks,
    )
    try:
        write_address(home.gateway_address, address)
    except OSError as error:
        complain(f"where this gateway answers cannot be written down, so nobody probes it: {error}")
