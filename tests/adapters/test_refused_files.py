"""What processes of a gateway leave of refused credentials: one small file a key, the newest."""

from pathlib import Path

from flyball.adapters.refused_files import Left, leave, left, of_service


def test_the_newest_stands_and_what_is_old_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "refused"
    leave(folder, Left(key="key-0a", at=1.0))
    leave(folder, Left(key="key-0a", at=50.0, services=("fraud",)))
    leave(folder, Left(key="unknown", at=5.0))
    assert left(folder, since=10.0) == (Left(key="key-0a", at=50.0, services=("fraud",)),)
    assert [path.name for path in folder.iterdir()] == ["key-0a.json"]


def test_half_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "key-0a.json").write_text('{"key": "key-0')
    (tmp_path / ".key-0b.17").write_text("killed while it was written")
    leave(tmp_path, Left(key="unknown", at=5.0))
    assert [one.key for one in left(tmp_path, since=0.0)] == ["unknown"]


def test_each_service_hears_of_its_own_clients_and_of_those_that_are_nobodys() -> None:
    found = (Left(key="key-0a", at=1.0, services=("fraud",)), Left(key="unknown", at=2.0))
    assert of_service(found, "fraud") == {"key-0a": 1.0, "unknown": 2.0}
    assert of_service(found, "churn") == {"unknown": 2.0}
