"""A real S3 server on loopback, for tests of every folder."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-north-1"}
BUCKETS = itertools.count()


@contextmanager
def server() -> Iterator[str]:
    """Its address; it runs in this process and stops with the block."""
    module = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    running = module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        running.stop()


def bucket(address: str) -> str:
    """Make a bucket of a name that no test has had; needs KEYS in the environment."""
    import s3fs  # type: ignore[import-untyped]

    name = f"bucket-{next(BUCKETS)}"
    options = {"region_name": KEYS["AWS_DEFAULT_REGION"]}
    files = s3fs.S3FileSystem(endpoint_url=address, client_kwargs=options, skip_instance_cache=True)
    files.mkdir(name)
    return name
