"""Content-addressed blobs in an object store, through fsspec: `s3://bucket/prefix` behind the extra `s3`.

An object store gives a key its bytes at once or not at all: a plain PUT, or a multipart upload that is nothing before
it is completed and is aborted when it fails. So a blob is never seen half, and two that put the same blob put the same
bytes. Listings are not cached, since others write there too. Credentials come from where the vendor's tools look for
them (environment, files, instance role); they are never part of the address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from flyball.adapters.content.blobs import check_bytes, checked_link, checked_target, no_such_blob, whole_file
from flyball.adapters.content.hashing import hash_file
from flyball.core.errors import BadInput, Fault, FlyballError, NotFound, Unavailable
from flyball.core.ids import Digest, is_sha256
from flyball.core.ports import Blob

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

OPTIONS = ("endpoint", "region")


class FsspecBlobs:
    """`core.ports.BlobStore` over any fsspec file system whose writes are whole: `s3`, and `memory` to try it out."""

    def __init__(self, files: "AbstractFileSystem", prefix: str) -> None:
        self._files, self._prefix = files, prefix.rstrip("/")

    def put(self, data: bytes) -> Digest:
        """See the port."""
        name = Digest("sha256:" + sha256(data).hexdigest())
        if self._size(name) != len(data):
            with _translated(name, writes=True):
                self._files.pipe_file(self._path(name), data)
        return name

    def put_file(self, path: str) -> Digest:
        """See the port."""
        state, digest = hash_file(path)
        name = Digest("sha256:" + digest)
        if self._size(name) == state.st_size:
            return name
        with _translated(name, writes=True):
            self._files.put_file(path, self._path(name))
        if hash_file(path)[1] != digest:
            self.delete(name)
            raise Unavailable(f"{path}: it changed while it was stored", hint="run again when nobody writes to it")
        return name

    def get(self, name: str) -> bytes:
        """See the port."""
        with _translated(name):
            data: bytes = self._files.cat_file(self._path(name))
        check_bytes(name, sha256(data).hexdigest())
        return data

    def fetch(self, name: str, target: str) -> None:
        """See the port."""
        source = self._path(name)
        with whole_file(Path(target)) as draft:
            with _translated(name):
                self._files.get_file(source, draft)
            check_bytes(name, hash_file(draft)[1])

    def has(self, name: str) -> bool:
        return is_sha256(name) and self._size(name) is not None

    def list(self) -> Iterator[Blob]:
        """See the port."""
        with _translated(self._prefix):
            try:
                found = self._files.find(self._prefix, detail=True)
            except FileNotFoundError:  # nothing was ever put
                return
        for path, facts in sorted(found.items()):
            folder, _, rest = path.rpartition("/")
            if is_sha256(name := f"sha256:{folder.rpartition('/')[2]}{rest}"):
                at = facts.get("LastModified") or facts["created"]  # S3; fsspec's memory
                seconds = at.timestamp() if isinstance(at, datetime) else float(at)
                yield Blob(name=Digest(name), size=int(facts["size"]), at=seconds)

    def delete(self, name: str) -> bool:
        """See the port."""
        if self._size(name) is None:
            return False
        with _translated(name):
            self._files.rm_file(self._path(name))
        return True

    def link(self, name: str, to: Digest) -> None:
        """See the port."""
        if not self.has(to):
            raise no_such_blob(to)
        with _translated(name, writes=True):
            self._files.pipe_file(self._link(name), to.encode())

    def linked(self, name: str) -> Digest | None:
        """See the port."""
        try:
            with _translated(name):
                return checked_target(name, self._files.cat_file(self._link(name)))
        except NotFound:
            checked_link(name)
            return None

    def _size(self, name: str) -> int | None:
        path = self._path(name)
        with _translated(name):
            try:
                return int(self._files.info(path)["size"])
            except FileNotFoundError:
                return None

    def _path(self, name: str) -> str:
        if not is_sha256(name):
            raise no_such_blob(name)
        digits = name.removeprefix("sha256:")
        return f"{self._prefix}/{digits[:2]}/{digits[2:]}"

    def _link(self, name: str) -> str:
        return f"{self._prefix}/links/{checked_link(name)}"


def open_s3(address: str) -> FsspecBlobs:
    """The store at `s3://bucket/prefix?endpoint=http://host:port&region=name`; both options may be left out.

    Raises: BadInput: no such address. Unavailable: the extra `s3` is not installed.
    """
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - set(OPTIONS))
    if parts.scheme != "s3" or not parts.netloc or unknown or "@" in parts.netloc:
        expected = f"s3://bucket/prefix, with ?{'=...&'.join(OPTIONS)}=... where needed"
        fault = Fault(where="FLYBALL_BLOBS", path="address", expected=expected, found=address.rpartition("@")[2])
        raise BadInput("This is no address of a blob store.", (fault,))
    try:
        import s3fs  # type: ignore[import-untyped]
    except ImportError as error:
        raise Unavailable("a blob store in S3 needs the extra s3", hint="pip install 'flyball[s3]'") from error
    client: dict[str, Any] = {"region_name": options["region"]} if "region" in options else {}
    files = s3fs.S3FileSystem(
        endpoint_url=options.get("endpoint"),
        client_kwargs=client,
        config_kwargs={"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}},
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    return FsspecBlobs(files, f"{parts.netloc}{parts.path}")


@contextmanager
def _translated(what: str, *, writes: bool = False) -> Iterator[None]:
    """Whatever the vendor's layers raise, as ours: not there, or not to be had."""
    try:
        yield
    except FlyballError:
        raise
    except FileNotFoundError as error:
        if not writes:
            raise no_such_blob(what) from error
        raise Unavailable(f"{what}: the blob store does not take it: {error}", hint="make the bucket first") from error
    except Exception as error:  # botocore, aiohttp and s3fs have no common root
        words = " ".join(str(error).split()) or type(error).__name__
        raise Unavailable(f"{what}: the blob store does not answer: {words}") from error
