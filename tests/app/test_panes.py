"""The folders of a log: a power cut takes none of the names that lead to it, whoever made them."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.serving.stage import CONTRACT, SERVICE

from flyball.adapters.prediction_log.disk import Disk
from flyball.app.declared import Declared, load
from flyball.app.home import Home
from flyball.app.wiring.serving.panes import book_of, capture_of
from flyball.core.declared.serving import Fsync
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import in_memory


def declared(folder: Path, fsync: Fsync) -> Declared:
    folder.mkdir()
    (folder / "service.yaml").write_text(SERVICE.replace("serving:\n", f"serving:\n  log: {{fsync: {fsync}}}\n"))
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "model.py").write_text("def train(features, label, *, config, seed): ...\n")
    (folder / "orders.csv").write_text("card,amount,items,fraud\nc,1.0,1,0\n")
    return load(folder)


@pytest.mark.parametrize("fsync", ["always", "interval", "os"])
@pytest.mark.parametrize("worker", [None, 1])
def test_every_folder_from_the_log_to_the_home_is_synced_though_others_made_it(
    fsync: Fsync, worker: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[Path] = set()
    monkeypatch.setattr(Disk, "sync_folder", lambda _, path: synced.add(path))
    service, home = declared(tmp_path / "shop", fsync), Home(tmp_path / "home")
    with closing(book_of(service, home)) as book:  # makes the service's folder, and those above it
        capture_of(service, home, Accounting(in_memory()), book, worker=worker)
    between = [home.telemetry("shop").parent, home.root, tmp_path]
    if worker is not None:
        between += [home.telemetry("shop"), home.telemetry("shop") / "workers"]
    assert synced == (set() if fsync == "os" else set(between))
