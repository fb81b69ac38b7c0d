"""The process that forks trainings lives through whatever a training leaves behind."""

from pathlib import Path

import pytest

from flyball.app.wiring.processes.training_child import IMPORTED
from flyball.app.wiring.processes.training_server import imported_by


@pytest.mark.parametrize(
    ("left", "names"),
    [
        (b'["shap", "os", "lightgbm"]', ["shap", "lightgbm"]),
        (b"not json", []),
        (b'{"shap": 1}', []),
        (b"[1]", []),
        (b"\xff", []),
        (None, []),
    ],
)
def test_a_note_of_slow_imports_is_believed_only_where_it_is_one(
    tmp_path: Path, left: bytes | None, names: list[str]
) -> None:
    if left is not None:
        (tmp_path / IMPORTED).write_bytes(left)
    assert imported_by(tmp_path) == names


def test_a_folder_that_its_client_has_removed_has_no_note(tmp_path: Path) -> None:
    assert imported_by(tmp_path / "removed") == []
