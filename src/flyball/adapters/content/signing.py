"""Signatures on release folders: OpenSSF Model Signing, EC P-256 key mode, offline.

The library takes half a second to import, so it is imported by the first use. It is given no chance to ignore files:
its habit of leaving `.git*` out of the hash is caught by the manifest, which names every file.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

from flyball.core.errors import Untrusted

SIGNATURE = "model.sig"


def sign(folder: Path, private_key: Path) -> Path:
    """Sign every file of the folder; the signature is `model.sig` in it, written whole or not at all."""
    from model_signing import hashing, signing

    target, draft = folder / SIGNATURE, folder.with_name(folder.name + ".sig-draft")
    hashed = hashing.Config().set_ignored_paths(paths=[Path(SIGNATURE)], ignore_git_paths=False)  # type: ignore[no-untyped-call]
    config = signing.Config()  # type: ignore[no-untyped-call]
    config.use_elliptic_key_signer(private_key=private_key).set_hashing_config(hashed)
    config.sign(folder, draft)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    return target


def signature(folder: Path) -> str | None:
    """The signature as text (base64) out of `model.sig`; None where there is none. Nothing is verified."""
    try:
        bundle = json.loads((folder / SIGNATURE).read_bytes())
        return str(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def verify(folder: Path, public_key: Path) -> None:
    """Nothing when each file is as it was signed with this key.

    Raises: Untrusted: unsigned, signed with another key, or a file is modified, missing or extra.
    """
    from model_signing import hashing, verifying

    signature = folder / SIGNATURE
    if not signature.is_file():
        raise Untrusted(f"{folder.name}: there is no signature", hint="only signed releases are loaded")
    if not public_key.is_file():
        raise Untrusted(f"{folder.name}: there is no public key to verify it with at {public_key.name}")
    hashed = hashing.Config().set_ignored_paths(paths=[Path(SIGNATURE)], ignore_git_paths=False)  # type: ignore[no-untyped-call]
    # the library prints a warning about old signatures to standard output, where documents go
    with contextlib.redirect_stdout(sys.stderr):
        try:
            verifier = verifying.Config()  # type: ignore[no-untyped-call]
            verifier.use_elliptic_key_verifier(public_key=public_key).set_hashing_config(hashed)
            verifier.verify(folder, signature)
        except Exception as error:  # a parser that meets forged bytes may raise anything: all of it is a no
            words = " ".join(str(error).split()) or type(error).__name__
            raise Untrusted(f"{folder.name}: the signature does not verify: {words}") from error
