"""What every blob store promises. A new one joins by an entry in `WORLDS`; S3 is moto's HTTP server on loopback."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import s3

from flyball.adapters.content.blobs import Blobs
from flyball.adapters.content.blobs_fsspec import FsspecBlobs, open_s3
from flyball.core.errors import BadInput, NotFound, Unavailable, Untrusted
from flyball.core.ids import Digest
from flyball.core.ports import BlobStore

HEX = "0123456789abcdef" * 4
ABSENT = Digest("sha256:" + "0" * 64)
NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    with s3.server() as address:
        yield address


@pytest.fixture(autouse=True)
def s3_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.KEYS.items():
        monkeypatch.setenv(name, value)


class World:
    """A store, and a way to spoil what it holds."""

    def __init__(self, store: BlobStore, spoil: Callable[[str, bytes], object]) -> None:
        self.store, self.spoil = store, spoil


@pytest.fixture(params=["folder", "memory", "s3"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "folder":
        root = tmp_path / "blobs"
        return World(Blobs(root), lambda key, data: (root / key).write_bytes(data))
    if request.param == "memory":
        files, prefix = fsspec.filesystem("memory"), f"/store-{next(NUMBERS)}"
        return World(FsspecBlobs(files, prefix), lambda key, data: files.pipe_file(f"{prefix}/{key}", data))
    address = request.getfixturevalue("s3_server")
    bucket = s3.bucket(address)
    store = open_s3(f"s3://{bucket}/some/prefix?endpoint={address}&region=eu-north-1")
    return World(store, lambda key, data: store._files.pipe_file(f"{bucket}/some/prefix/{key}", data))


@pytest.fixture
def store(world: World) -> BlobStore:
    return world.store


def key(name: str) -> str:
    digits = name.removeprefix("sha256:")
    return f"{digits[:2]}/{digits[2:]}"


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_what_was_put_comes_back_under_its_digest(store: BlobStore, data: bytes) -> None:
    name = store.put(data)
    assert name == "sha256:" + sha256(data).hexdigest()
    assert store.put(data) == name
    assert store.has(name)
    assert store.get(name) == data


def test_a_file_is_put_and_fetched_under_the_name_of_its_bytes(store: BlobStore, tmp_path: Path) -> None:
    data = os.urandom(1_000_003)
    (tmp_path / "file").write_bytes(data)
    name = store.put_file(str(tmp_path / "file"))
    assert name == store.put(data) == store.put_file(str(tmp_path / "file"))
    store.fetch(name, str(tmp_path / "new" / "copy"))
    assert (tmp_path / "new" / "copy").read_bytes() == data
    assert os.listdir(tmp_path / "new") == ["copy"]


def test_all_blobs_and_only_blobs_are_listed(store: BlobStore) -> None:
    assert list(store.list()) == []
    names = sorted(store.put(bytes([n]) * (n + 1)) for n in range(5))
    store.link(f"releases/{HEX}", names[0])
    found = list(store.list())
    assert [blob.name for blob in found] == names
    assert sorted(blob.size for blob in found) == [1, 2, 3, 4, 5]
    assert all(blob.at > 1_000_000_000 for blob in found)


def test_a_deleted_blob_is_gone_and_may_come_again(store: BlobStore) -> None:
    name = store.put(b"x")
    assert store.delete(name)
    assert not store.delete(name)
    assert not store.has(name)
    with pytest.raises(NotFound):
        store.get(name)
    assert store.get(store.put(b"x")) == b"x"


def test_another_s_bytes_are_not_handed_out(world: World, tmp_path: Path) -> None:
    name = world.store.put(b"model")
    world.spoil(key(name), b"modem")
    with pytest.raises(Untrusted):
        world.store.get(name)
    with pytest.raises(Untrusted):
        world.store.fetch(name, str(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()
    world.store.delete(name)
    assert world.store.get(world.store.put(b"model")) == b"model"


def test_a_torn_blob_is_written_again(world: World) -> None:
    name = world.store.put(b"model")
    world.spoil(key(name), b"mo")
    world.store.put(b"model")
    assert world.store.get(name) == b"model"


@pytest.mark.parametrize("name", [ABSENT, "sha256:../../etc", "md5:0", ""])
def test_a_blob_that_is_not_there_or_no_name_at_all_is_not_found(store: BlobStore, name: str, tmp_path: Path) -> None:
    assert not store.has(name)
    with pytest.raises(NotFound):
        store.get(name)
    with pytest.raises(NotFound):
        store.fetch(name, str(tmp_path / "copy"))


def test_a_link_leads_to_one_blob_at_a_time(store: BlobStore) -> None:
    first, second = store.put(b"1"), store.put(b"2")
    assert store.linked(f"releases/{HEX}") is None
    store.link(f"releases/{HEX}", first)
    store.link(f"releases/{HEX}", second)
    assert store.linked(f"releases/{HEX}") == second
    assert store.linked(f"snapshots/{HEX}") is None


def test_a_link_to_nothing_or_of_another_form_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        world.store.link(f"releases/{HEX}", ABSENT)
    name = world.store.put(b"1")
    for bad in ("../../up", "releases", f"releases/{HEX}/x", ""):
        with pytest.raises(NotFound):
            world.store.link(bad, name)
        with pytest.raises(NotFound):
            world.store.linked(bad)
    world.store.link(f"releases/{HEX}", name)
    world.spoil(f"links/releases/{HEX}", b"elsewhere")
    with pytest.raises(Untrusted):
        world.store.linked(f"releases/{HEX}")


def test_a_file_that_is_not_there_cannot_be_put(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        store.put_file(str(tmp_path / "absent"))


def test_an_s3_that_nobody_answers_for_is_unavailable(s3_server: str) -> None:
    with pytest.raises(Unavailable, match="does not take it"):
        open_s3(f"s3://no-such-bucket/x?endpoint={s3_server}").put(b"x")


@pytest.mark.parametrize(
    "address", ["s3://", "gs://bucket", "s3://b/p?endpont=http://x", "s3://key:secret@bucket/p", "nowhere"]
)
def test_an_address_that_is_none_is_bad_input_and_no_secret_is_repeated(address: str) -> None:
    with pytest.raises(BadInput) as caught:
        open_s3(address)
    assert "secret" not in str(caught.value)


def test_a_multipart_upload_that_is_killed_leaves_no_blob(s3_server: str, tmp_path: Path) -> None:
    address = f"s3://{s3.bucket(s3_server)}/p?endpoint={s3_server}"
    store = open_s3(address)
    with (tmp_path / "big").open("wb") as file:
        file.truncate(120 << 20)  # more than one part
    dies = (
        "import os, signal, sys\nfrom flyball.adapters.content.blobs_fsspec import open_s3\n"
        "store = open_s3(sys.argv[1])\n"
        "real = store._files._call_s3\n"
        "async def deadly(method, *words, **options):\n"
        "    if method == 'complete_multipart_upload': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return await real(method, *words, **options)\n"
        "store._files._call_s3 = deadly\nstore.put_file(sys.argv[2])\n"
    )
    died = subprocess.run([sys.executable, "-c", dies, address, str(tmp_path / "big")], check=False)
    assert died.returncode == -9
    assert list(store.list()) == []
    name = store.put_file(str(tmp_path / "big"))
    assert [blob.name for blob in store.list()] == [name]
