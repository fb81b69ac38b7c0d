"""Releases and snapshots in a shared store: another machine fetches them by digest, verified, or not at all."""

import os
import shutil
from pathlib import Path

import pytest
from tests.pipeline.fraud import opened, trained, transactions, write_service

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.blobs import Blobs
from flyball.adapters.content.blobs_fsspec import open_s3
from flyball.adapters.content.keys import PUBLIC, signing_key
from flyball.adapters.content.signing import sign
from flyball.adapters.ids import TimeIds
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.home import Home
from flyball.app.wiring.stores.mirror import BLOBS_VARIABLE, Mirror, shared_store
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.stores.snapshots import SnapshotStore
from flyball.core.codec import canonical
from flyball.core.errors import BadInput, NotFound, Unavailable, Untrusted
from flyball.pipeline.manifest import entry, manifest, of_bytes

FILES = {"model.pkl": b"model", "code/model.py": b"def train(): ..."}


def signed(home: Home, draft: Path, files: dict[str, bytes] = FILES) -> str:
    """A signed release folder with nothing real in it; returns its root."""
    for name, data in files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_bytes(data)
    whole = of_bytes(files)
    (draft / "manifest.json").write_bytes(canonical(whole))
    sign(draft, signing_key(home.keys).path)
    return whole.root


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    monkeypatch.setenv(BLOBS_VARIABLE, str(tmp_path / "shared"))
    return Blobs(tmp_path / "shared")


@pytest.fixture
def here(tmp_path: Path) -> Home:
    return Home(tmp_path / "here").made()


@pytest.fixture
def there(tmp_path: Path, here: Home) -> Home:
    """Another machine, which was given the public key."""
    signing_key(here.keys)
    found = Home(tmp_path / "there").made()
    found.keys.mkdir()
    shutil.copy(here.keys / PUBLIC, found.keys / PUBLIC)
    return found


def test_without_a_setting_there_is_no_shared_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BLOBS_VARIABLE, raising=False)
    assert shared_store() is None
    monkeypatch.setenv(BLOBS_VARIABLE, "gs://bucket")
    with pytest.raises(BadInput):
        shared_store()


def test_another_machine_gets_the_release_verified(shared: Blobs, here: Home, there: Home, tmp_path: Path) -> None:
    root = signed(here, tmp_path / "draft")
    ReleaseStore(here).put(tmp_path / "draft", root)
    assert ReleaseStore(there).held(root)
    folder = Path(ReleaseStore(there).verified(root))
    assert folder == there.releases / root[7:]
    for name, data in FILES.items():
        assert (folder / name).read_bytes() == data
    assert list(there.work.iterdir()) == []
    shutil.rmtree(tmp_path / "shared")
    assert ReleaseStore(there).verified(root) == str(folder)  # it is there now, and needs nobody


def test_a_machine_without_the_key_or_with_another_one_gets_nothing(shared: Blobs, here: Home, tmp_path: Path) -> None:
    root = signed(here, tmp_path / "draft")
    ReleaseStore(here).put(tmp_path / "draft", root)
    stranger = Home(tmp_path / "stranger").made()
    with pytest.raises(Untrusted):
        ReleaseStore(stranger).verified(root)
    signing_key(stranger.keys)
    with pytest.raises(Untrusted):
        ReleaseStore(stranger).verified(root)
    assert not stranger.releases.exists()
    assert list(stranger.work.iterdir()) == []


def test_what_was_altered_on_the_way_is_refused_whatever_was_altered(
    shared: Blobs, here: Home, there: Home, tmp_path: Path
) -> None:
    root = signed(here, tmp_path / "draft")
    ReleaseStore(here).put(tmp_path / "draft", root)
    link = f"releases/{root[7:]}"
    good = shared.linked(link)
    assert good is not None
    other = {**FILES, "model.pkl": b"modem"}
    forged = Home(tmp_path / "forged").made()
    theirs = signed(forged, tmp_path / "theirs", other)
    Mirror(forged, shared).keep("releases", theirs, tmp_path / "theirs")
    shared.link(link, shared.linked(f"releases/{theirs[7:]}") or good)  # a link to another, signed release
    with pytest.raises(Untrusted):
        ReleaseStore(there).verified(root)
    up = manifest([entry("x", b"1")])
    escaping = canonical(up).replace(b'"x"', b'"../../x"')
    shared.link(link, shared.put(escaping))  # a list that would write outside
    with pytest.raises(Untrusted):
        ReleaseStore(there).verified(root)
    assert not (tmp_path / "x").exists()
    assert not there.releases.exists()
    shared.link(link, good)
    blob = of_bytes({"m": b"model"}).files[0].sha256
    (tmp_path / "shared" / blob[:2] / blob[2:]).write_bytes(b"modem")
    with pytest.raises(Untrusted):
        ReleaseStore(there).verified(root)


def test_what_nobody_has_is_not_found(shared: Blobs, there: Home) -> None:
    for root in ("sha256:" + "0" * 64, "sha256:../../etc", "champion"):
        with pytest.raises(NotFound):
            ReleaseStore(there).verified(root)


def test_putting_again_completes_what_a_crash_left(shared: Blobs, here: Home, there: Home, tmp_path: Path) -> None:
    root = signed(here, tmp_path / "draft")
    monkey = Blobs.link
    try:
        Blobs.link = lambda *_: (_ for _ in ()).throw(Unavailable("away"))  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            ReleaseStore(here).put(tmp_path / "draft", root)
    finally:
        Blobs.link = monkey  # type: ignore[method-assign]
    with pytest.raises(NotFound):
        ReleaseStore(there).verified(root)
    signed(here, tmp_path / "again")
    ReleaseStore(here).put(tmp_path / "again", root)
    ReleaseStore(there).verified(root)


def test_a_snapshot_is_fetched_where_its_folder_is_missing(
    shared: Blobs, here: Home, there: Home, tmp_path: Path
) -> None:
    from flyball.app.declared import load

    declared = load(write_service(tmp_path / "fraud"))
    table, ids = transactions(300), TimeIds(SystemClock())
    taken = SnapshotStore(here, ids).freeze(table, declared.contract, source="source", as_of=None)
    folder = SnapshotStore(there, ids).folder(taken.root)
    assert folder == there.snapshots / taken.root[7:]
    assert os.listdir(folder) == ["data.parquet"]
    shutil.rmtree(folder)
    blob = taken.files[0].sha256
    (tmp_path / "shared" / blob[:2] / blob[2:]).write_bytes(b"other rows")
    with pytest.raises(Untrusted):
        SnapshotStore(there, ids).folder(taken.root)
    assert not folder.exists()


def test_a_trained_release_reaches_another_machine_through_s3(
    s3_address: str, tmp_path: Path, trainer: ForkServerTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_s3(s3_address)
    monkeypatch.setenv(BLOBS_VARIABLE, s3_address)
    with opened(tmp_path / "here", trainer) as pipeline:
        found = trained(pipeline, write_service(tmp_path / "fraud")).release
    there = Home(tmp_path / "there").made()
    there.keys.mkdir()
    shutil.copy(tmp_path / "here" / "keys" / PUBLIC, there.keys / PUBLIC)
    assert store.linked(f"releases/{found.root[7:]}")
    folder = Path(ReleaseStore(there).verified(found.root))
    assert (folder / "model.onnx").is_file()
    place = SnapshotStore(there, TimeIds(SystemClock())).folder(found.snapshot)
    assert (place / "data.parquet").is_file()
