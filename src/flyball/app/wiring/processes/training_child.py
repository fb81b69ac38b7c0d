"""The forked child of the training server: one training, in a session and a folder of its own.

Its standard output is its log, so nothing the service's code prints can reach the protocol. The kernel holds its writes
to the run's folder and the kept steps where it can (`adapters/training/confine.py`).
"""

import ctypes
import os
import random
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

import msgspec

from flyball.adapters.training.confine import confine
from flyball.adapters.training.trainer import Ended, Outcome, Progress, Request
from flyball.core.errors import FlyballError
from flyball.core.ports import Tools

IMPORTED = "imported.json"
SLOW = ("lightgbm", "shap", "skl2onnx")  # seconds; neither starts a thread when it is imported
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def become(request: Request, out: int) -> NoReturn:
    """Become the training process; never returns. `out`: where messages of the protocol go."""
    folder = Path(request.folder)
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        os.chdir(folder)
        log = os.open("training.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        _hold(request, folder)
        outcome = _train(request, out)
        (folder / IMPORTED).write_bytes(msgspec.json.encode([name for name in SLOW if name in sys.modules]))
        draft = folder / "result.draft"
        draft.write_bytes(msgspec.json.encode(outcome))
        draft.replace(folder / "result.json")
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def send(fd: int, message: Outcome | Progress | Ended) -> None:
    """One line of the protocol."""
    data = msgspec.json.encode(message) + b"\n"
    while data:
        data = data[os.write(fd, data) :]


def log_tail(folder: Path) -> str:
    """The end of what a training printed."""
    log = folder / "training.log"
    return log.read_text(errors="replace")[-4000:].strip() if log.is_file() else ""


def _hold(request: Request, folder: Path) -> None:
    """Temporary files go to the run's folder, and nothing outside of it and of the kept steps can be changed."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    free = [folder.parent, Path("/dev/shm")]  # shared memory: what parallel workers hand arrays over in
    if request.job.steps_folder:
        Path(request.job.steps_folder).mkdir(parents=True, exist_ok=True)
        free.append(Path(request.job.steps_folder))
    cards = [*Path("/dev").glob("nvidia*"), Path("/dev/dri"), Path("/dev/kfd")]  # a device is asked by writing to it
    confine(free, files=[Path(os.devnull), *cards])


def _train(request: Request, out: int) -> Outcome:
    import numpy as np

    from flyball.adapters.models import formats
    from flyball.adapters.models.attributions import attributions
    from flyball.adapters.models.code import import_code
    from flyball.adapters.models.fresh import load_fresh
    from flyball.adapters.models.predictor import load
    from flyball.adapters.training.optuna_search import TpeSearch
    from flyball.adapters.training.step_store import FolderSteps
    from flyball.adapters.training.vega_svg import render
    from flyball.pipeline.run import run
    from flyball.pipeline.seed import seed_of

    # code that asks the global generators, against advice, is repeatable too
    seed = seed_of(str(request.job.declaration["experiment"].get("seed", "0")))
    random.seed(seed)
    np.random.seed(seed)
    try:
        release = run(
            request.job,
            Tools(
                import_code=import_code,
                load=load,
                searcher=TpeSearch(),
                formats=formats,
                fresh=load_fresh,
                attribute=attributions,
                render=render,
            ),
            step=lambda name: send(out, Progress(step=name)),
            ended=lambda use: send(out, Ended(use=use)),
            store=FolderSteps(Path(request.job.steps_folder)) if request.job.steps_folder else None,
        )
    except FlyballError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        return Outcome(error=f"{error}{hint}")
    except MemoryError:
        return Outcome(error="the training ran out of memory")
    except SystemExit as error:
        return Outcome(
            error=f"the service's code called sys.exit({error.code!r})", log=_users_traceback(error, request)
        )
    except PermissionError as error:
        words = f"the service's code raised PermissionError: {error}; a training may only write into its own folder"
        return Outcome(error=words, log=_users_traceback(error, request))
    except BaseException as error:
        words = f"{type(error).__name__}: {error}"
        return Outcome(error=f"the service's code raised {words}", log=_users_traceback(error, request))
    return Outcome(release=release)


def _users_traceback(error: BaseException, request: Request) -> str:
    """The traceback without the frames above the service's own code, and with its file names as the user knows them."""
    inside = str(Path(request.job.output_folder) / "code") + "/"
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if frame.filename.startswith(inside)), 0)
    text = "".join(traceback.format_list(frames[first:]))
    told = text.replace(inside, "") + f"{type(error).__name__}: {error}"
    print(told, file=sys.stderr, flush=True)  # the run's log has it raw; elsewhere it is masked
    return told
