"""The signing key: one a home, private, real."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from flyball.adapters.content.keys import PRIVATE, PUBLIC, public_key, signing_key
from flyball.core.errors import BadInput, NotFound

MAKE = "import sys; from pathlib import Path; from flyball.adapters.content.keys import signing_key; " + (
    "print(signing_key(Path(sys.argv[1])).public.pem().decode())"
)


def test_what_the_key_signs_its_public_half_accepts_and_nothing_else(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    signature = key.sign(b"the head")
    public = public_key(tmp_path / PUBLIC)
    assert public.key_id == key.key_id
    assert public.verify(signature, b"the head")
    assert not public.verify(signature, b"another head")
    assert not public.verify(b"no signature", b"the head")


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first, second = signing_key(tmp_path / "keys"), signing_key(tmp_path / "keys")
    assert first.public.pem() == second.public.pem()
    assert (tmp_path / "keys" / PRIVATE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [PRIVATE, PUBLIC]


def test_processes_that_start_at_once_end_up_with_the_same_key(tmp_path: Path) -> None:
    order = [sys.executable, "-c", MAKE, str(tmp_path / "keys")]
    children = [subprocess.Popen(order, stdout=subprocess.PIPE) for _ in range(4)]
    said = {child.communicate()[0] for child in children}
    assert [child.returncode for child in children] == [0] * 4
    assert len(said) == 1


def test_a_lost_public_half_is_written_again(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    (tmp_path / PUBLIC).unlink()
    signing_key(tmp_path)
    assert public_key(tmp_path / PUBLIC).key_id == key.key_id


def test_other_bytes_are_refused_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / PRIVATE).write_text("not a key")
    with pytest.raises(BadInput, match="expected an EC P-256 key"):
        signing_key(tmp_path)
    assert (tmp_path / PRIVATE).read_text() == "not a key"
    (tmp_path / PUBLIC).write_text("not a key")
    with pytest.raises(BadInput):
        public_key(tmp_path / PUBLIC)
    with pytest.raises(NotFound):
        public_key(tmp_path / "nowhere.pub")


@pytest.mark.parametrize("foreign", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()])
def test_a_key_of_another_kind_is_refused(
    tmp_path: Path, foreign: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
) -> None:
    pem = foreign.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / PRIVATE).write_bytes(pem)
    with pytest.raises(BadInput, match="a key of another kind"):
        signing_key(tmp_path)
