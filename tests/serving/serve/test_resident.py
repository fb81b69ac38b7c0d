"""How much a process holds, also where the kernel does not tell."""

import errno
import os
from pathlib import Path

import pytest

from flyball.serving.serve.resident import resident_mb


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EACCES, errno.ESRCH, errno.ENOENT])
def test_a_kernel_that_does_not_tell_is_no_error(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> str:
        raise OSError(number, os.strerror(number))

    assert (resident_mb(os.getpid()) or 0.0) > 1.0
    monkeypatch.setattr(Path, "read_text", refuse)
    assert resident_mb(os.getpid()) is None
