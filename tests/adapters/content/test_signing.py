from collections.abc import Callable
from pathlib import Path

import pytest

from flyball.adapters.content.keys import PUBLIC, signing_key
from flyball.adapters.content.signing import SIGNATURE, sign, verify
from flyball.core.errors import Untrusted


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    signing_key(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def signed(tmp_path: Path, keys: Path) -> Path:
    folder = tmp_path / "release"
    (folder / "code").mkdir(parents=True)
    (folder / "model.pkl").write_bytes(b"model")
    (folder / "code" / "model.py").write_text("x = 1\n")
    sign(folder, signing_key(keys).path)
    return folder


def test_what_was_signed_verifies_also_under_another_name(signed: Path, keys: Path) -> None:
    verify(signed, keys / PUBLIC)
    verify(signed.rename(signed.with_name("moved")), keys / PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "model.pkl").write_bytes(b"modem"),
        lambda folder: (folder / "code" / "model.py").write_text("x = 2\n"),
        lambda folder: (folder / "extra.py").write_text(""),
        lambda folder: (folder / ".gitattributes").write_text(""),
        lambda folder: (folder / "code" / "model.py").unlink(),
        lambda folder: (folder / SIGNATURE).unlink(),
        lambda folder: (folder / SIGNATURE).write_text("{}"),
        lambda folder: (folder / SIGNATURE).write_bytes(b"\xff\x00"),
        lambda folder: (folder / "model.pkl").rename(folder / "model2.pkl"),
    ],
    ids=["altered", "altered code", "extra", "extra git", "missing", "unsigned", "forged", "no text", "renamed"],
)
def test_any_change_is_untrusted(signed: Path, keys: Path, change: Callable[[Path], object]) -> None:
    change(signed)
    with pytest.raises(Untrusted):
        verify(signed, keys / PUBLIC)


def test_a_signature_of_another_key_is_untrusted(signed: Path, tmp_path: Path, keys: Path) -> None:
    signing_key(tmp_path / "others")
    with pytest.raises(Untrusted):
        verify(signed, tmp_path / "others" / PUBLIC)
    sign(signed, signing_key(tmp_path / "others").path)
    with pytest.raises(Untrusted):
        verify(signed, keys / PUBLIC)


def test_without_a_public_key_nothing_is_trusted(signed: Path, tmp_path: Path) -> None:
    with pytest.raises(Untrusted, match="no public key"):
        verify(signed, tmp_path / "nowhere.pub")


def test_nothing_is_printed_where_documents_go(signed: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(signed, keys / PUBLIC)
    assert capsys.readouterr().out == ""
