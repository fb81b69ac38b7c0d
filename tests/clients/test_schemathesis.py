"""Schemathesis against the gateway: whatever the OpenAPI document allows or forbids, no 5xx, nothing undocumented.

The server is in the test's own process, so that it can be asked which way the cases went (decision 0062).
"""

import asyncio
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.serving.door import opened
from tests.serving.stage import SERVICE
from tests.serving.test_fuzz_wire import harmless
from tests.serving.watched import listening, warm

ST = Path(sys.executable).with_name("st")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
# a version that is loaded
CONFIG = '[parameters]\n"path.version" = "aa01"\n'
# a deadline that no answer misses, of the service and of a client that has a valid one: one of 0 ms is a 504
# and of bodies with one row every other is the bare row, which is generated as good as never
DECLARED = SERVICE.replace("deadline_ms: 20000", "deadline_ms: 60000")
HOOKS = """
import itertools
import schemathesis

NAME = "x-request-deadline-ms"
numbers = itertools.count()

def passes(value):
    # a valid deadline, however it is written (5e-324), that an answer may miss
    try:
        return 0.0 <= float(value) < 60000.0
    except ValueError:
        return False

@schemathesis.hook
def before_call(context, case, kwargs):
    for name, value in list((case.headers or {}).items()):
        if name.lower() == NAME and passes(str(value)):
            case.headers[name] = "60000"
    rows = case.body.get("rows") if isinstance(case.body, dict) and len(case.body) == 1 else None
    if case.path.endswith("/predict") and isinstance(rows, list) and len(rows) == 1 and next(numbers) % 2:
        case.body = rows[0]
"""

pytestmark = pytest.mark.skipif(not ST.exists(), reason="schemathesis is not there")


async def cases(folder: Path, *, examples: int, phases: str) -> tuple[int, Counter[str]]:
    """How many were generated, and the ways that they went; all have passed."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    (folder / "hooks.py").write_text(HOOKS)
    (folder / "home").mkdir()
    async with opened(folder / "home", declared=DECLARED, sick=False) as door, listening(door) as server:
        await warm(server, harmless())
        url = f"http://127.0.0.1:{server.port}/openapi.json"
        command = [str(ST), "--config-file", str(folder / "schemathesis.toml"), "run", url]
        options = ["--max-examples", str(examples), "--phases", phases, "--checks", ",".join(CHECKS), "--seed", "1"]
        quiet = ["--no-color", "--generation-database", "none", "--request-timeout", "60"]
        env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)}
        pipe = asyncio.subprocess.PIPE
        done = await asyncio.create_subprocess_exec(
            *command, *options, *quiet, cwd=folder, env=env, stdout=pipe, stderr=pipe
        )
        out, err = (each.decode() for each in await done.communicate())
    assert done.returncode == 0, out[-8000:] + err
    found = re.search(r"(\d+) generated", out)
    assert found, out
    print(f"{found[1]} cases: {dict(server.ways)}")
    return int(found[1]), server.ways


def test_no_case_is_answered_undocumented(tmp_path: Path) -> None:
    number, ways = asyncio.run(cases(tmp_path, examples=20, phases="examples,fuzzing"))
    assert number > 40
    assert ways["short"], ways
    assert ways["long"], ways


@pytest.mark.slow
def test_none_of_ten_thousand_cases_is_answered_undocumented(tmp_path: Path) -> None:
    number, ways = asyncio.run(cases(tmp_path, examples=1_250, phases="examples,coverage,fuzzing"))
    assert number >= 10_000
    assert min(ways["short"], ways["long"]) > 0, ways
