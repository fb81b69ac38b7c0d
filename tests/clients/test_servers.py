"""Real servers behind the gateway: KServe's Python server and MLServer with its scikit-learn runtime, on loopback.

Each runs in an environment of its own, which `make test-slow` builds: what they pin is not what we do. Triton has no
Python package that one could install; a gateway of ours stands for it elsewhere (`tests/app/test_import_remote.py`).
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.app.command import run
from tests.app.test_import_remote import asked, serving
from tests.app.test_up import services
from tests.serving.stage import ROOT, free_port, until

__all__ = ["services"]  # a fixture of the other file
KSERVE = ROOT / ".venv-clients" / "bin" / "python"
MLSERVER = ROOT / ".venv-servers" / "bin"
HERE = Path(__file__).parent


@contextmanager
def started(command: Sequence[object], port: int, folder: Path) -> Iterator[str]:
    """The server's address while the block runs."""
    log = folder / "server.log"
    with log.open("w") as told:
        process = subprocess.Popen([*map(str, command)], cwd=folder, stdout=told, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None, log.read_text()[-4000:]
        try:
            with urlopen(f"{url}/v2/models/shop/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except URLError:
            return False

    try:
        until(ready, "the server is ready")
        yield url
    finally:
        process.terminate()
        process.wait()


def judged_and_served(address: str, output: str, service: Path, home: Path) -> list[float]:
    """Imported, trained and asked through our gateway. The model's chance grows with x."""
    brought = run("import", address, service, "--output", output, "--timeout", "30")
    assert (brought["source"], brought["environment_grade"]) == (address, "D")
    assert run("train", service, "--home", home)["champion"]
    with serving(service, home) as gateway:
        scores = asked(gateway, service.parent.name)
    assert scores == sorted(scores)
    return list(scores)


@pytest.mark.slow
@pytest.mark.skipif(not KSERVE.exists(), reason=".venv-clients is not there")
def test_kserves_own_server_is_judged_and_served(services: list[Path], tmp_path: Path) -> None:
    port = free_port()
    with started([KSERVE, HERE / "kserve_server.py", "shop", port], port, tmp_path) as url:
        scores = judged_and_served(f"{url}/v2/models/shop", "score", services[0], tmp_path / "home")
    assert scores == pytest.approx([0.119202922, 0.5, 0.982013790])


@pytest.mark.slow
@pytest.mark.skipif(not MLSERVER.exists(), reason=".venv-servers is not there")
def test_mlserver_is_judged_and_served_by_the_version_in_its_address(services: list[Path], tmp_path: Path) -> None:
    ports = [free_port() for _ in range(3)]
    made = [MLSERVER / "python", HERE / "mlserver_model.py", tmp_path, "shop", *ports]
    subprocess.run([*map(str, made)], check=True)
    with started([MLSERVER / "mlserver", "start", tmp_path], ports[0], tmp_path) as url:
        address = f"{url}/v2/models/shop/versions/v1"
        scores = judged_and_served(address, "predict_proba", services[1], tmp_path / "home")
    assert scores[0] < 0.3
    assert scores[2] > 0.9
