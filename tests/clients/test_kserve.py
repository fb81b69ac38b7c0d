"""KServe's own clients against the gateway: v2 and v1 over HTTP, and gRPC, from an environment of their own.

KServe pins what we do not, and its copy of the protocol's messages cannot share a process with Triton's. `make
test-slow` builds `.venv-clients`; Triton's clients are asked the same in the normal run.
"""

import subprocess
from pathlib import Path

import pytest
from tests.clients.served import shop
from tests.serving.stage import ROOT, free_port

PYTHON = ROOT / ".venv-clients" / "bin" / "python"


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists(), reason=".venv-clients is not there")
def test_every_client_of_kserve_is_answered(tmp_path: Path) -> None:
    port = free_port()
    with shop(tmp_path, grpc_port=port) as served:
        story = Path(__file__).with_name("kserve_story.py")
        command = [str(PYTHON), str(story), f"http://127.0.0.1:{served.port}", f"127.0.0.1:{port}"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout[-5:]) == (0, "told\n"), done.stdout[-4000:] + done.stderr[-4000:]
