"""The version-control state of a folder: observed, told to people, never part of a name."""

import subprocess
from pathlib import Path

TIMEOUT_S = 10  # a very large work tree is not worth waiting for


def state(folder: Path) -> tuple[str, bool] | None:
    """(commit, whether anything below the folder is not committed); None without git, a repository or a commit."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    status = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return None if commit is None or status is None else (commit.strip(), bool(status.strip()))


def _git(folder: Path, *words: str) -> str | None:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
