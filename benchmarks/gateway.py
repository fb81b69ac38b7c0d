"""What the gateway costs: requests a second and latency of single rows, against a FastAPI server and the bare model.

All three answer with the same scikit-learn model on the same machine in one run, in turns, so that a machine that slows
down does so for all. The load comes from a process of its own (`wrk` where it is there, else an asyncio client) over
kept-alive connections. The peer does what most tutorials do: a pydantic body and `predict_proba` in a `def` endpoint;
it checks types and nothing else, assigns no arm and records nothing, so it has less to do.
"""

import asyncio
import http.client
import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from flyball.adapters.predictor import load
from flyball.app.home import Home
from flyball.app.wiring.releases import ReleaseStore
from flyball.core.prediction import Predictor
from flyball.serving.accounting import Accounting
from flyball.serving.counter_file import in_memory

TURNS, SECONDS, CONNECTIONS = 3, 4.0, 16
ROW = {"card": "c-17", "amount": 42.5, "age": 33.0, "hour": 14.0}
BODY = json.dumps(ROW).encode()
SERVICE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: bench, owner: bench, people: {lead: [approver]}}
data: {contract: contract.yaml, source: rows.csv, label: fraud, key: card}
experiment: {task: binary, metric: roc_auc}
"""
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: bench
version: 1.0.0
status: active
schema:
  - name: rows
    logicalType: object
    properties:
      - {name: card, logicalType: string, required: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 1000}}
      - {name: age, logicalType: number, required: true}
      - {name: hour, logicalType: number, required: true}
      - {name: fraud, logicalType: integer}
"""
MODEL = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def features(frame):
    return frame.select("amount", "age", "hour")

def train(features, label, *, config, seed):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(features, label)
"""
PEER = """
import pickle, sys
from pathlib import Path
import polars as pl
from fastapi import FastAPI
from pydantic import BaseModel

model = pickle.loads(Path(sys.argv[1], "model.pkl").read_bytes())
app = FastAPI()

class Row(BaseModel):
    card: str
    amount: float
    age: float
    hour: float

@app.post("/predict")
def predict(row: Row):
    score = model.predict_proba(pl.DataFrame({"amount": [row.amount], "age": [row.age], "hour": [row.hour]}))[0, 1]
    return {"prediction": int(score >= 0.5), "score": float(score)}

import uvicorn
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="error")
"""


def main() -> None:
    """Print requests a second, p50 and p99 of each, and the ratios."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-gateway-") as name:
        folder = Path(name).resolve()
        release = _trained(folder)
        bare_us = bare(release)
        print(f"bare model, one row a call: {bare_us:.0f} us ({1e6 / bare_us:,.0f} rows/s on one core)")
        core()
        over_http(folder, release, bare_us)


def bare(release: Path) -> float:
    """Median of `predict` of the loaded release, microseconds."""
    predictor = load(str(release))
    times = []
    for _ in range(2000):
        started = time.perf_counter()
        predictor.predict([ROW])
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def core() -> None:
    """The pure core in batches of 100, models excluded: what a replay pays a row."""
    from tests.serving.parts import CANDIDATE, CHAMPION, Told, gateway, routing, row

    gate = gateway(accounting=Accounting(in_memory()))
    gate.route(routing(weight=1000))
    predictors: dict[str, Predictor] = {root: Told(root) for root in (CHAMPION, CANDIDATE)}
    spent = inside = 0.0
    batches = 400
    for number in range(batches):
        rows = [row(card=f"c{(number * 100 + i) % 5000}", items=1) for i in range(100)]
        at = [float(number * 100 + i) for i in range(100)]
        started = time.perf_counter()
        gate.answer(rows, predictors, at, "r")
        spent += time.perf_counter() - started
        started = time.perf_counter()
        predictors[CHAMPION].predict(rows)
        inside += time.perf_counter() - started
    print(f"core, batches of 100, without models: {100 * batches / (spent - inside):,.0f} rows/s (target 20,000)")


def over_http(folder: Path, release: Path, bare_us: float) -> None:
    servers = {"flyball": _flyball(folder)}
    if _has_fastapi():
        servers["fastapi"] = _fastapi(folder, release)
    else:
        print("fastapi is not installed: no peer in this run")
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in servers}
    try:
        for _ in range(TURNS):
            for name, (_, port, path) in servers.items():
                results[name].append(_load(port, path))
    finally:
        for process, _, _ in servers.values():
            process.terminate()
            process.wait(30)
    medians = {
        name: [statistics.median(turn[i] for turn in turns) for i in range(3)] for name, turns in results.items()
    }
    for name, (rps, p50, p99) in medians.items():
        print(f"{name}: {rps:,.0f} requests/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms ({CONNECTIONS} connections)")
    if "fastapi" in medians:
        print(f"flyball / fastapi: {medians['flyball'][0] / medians['fastapi'][0]:.2f} x the requests/s")
    print(f"flyball / bare model: {medians['flyball'][0] / (1e6 / bare_us):.2f} x its rows/s")


def _trained(folder: Path) -> Path:
    """A service with a signed champion; returns the release's folder."""
    dice = Random(7)
    lines = ["card,amount,age,hour,fraud"]
    for i in range(2000):
        amount = dice.uniform(0, 200)
        lines.append(
            f"c{i % 300},{amount:.2f},{dice.uniform(18, 80):.1f},{i % 24}.0,{int(dice.random() < amount / 200)}"
        )
    for name, text in (("service.yaml", SERVICE), ("contract.yaml", CONTRACT), ("model.py", MODEL)):
        (folder / name).write_text(text)
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    words = [sys.executable, "-m", "flyball.app.cli", "train", str(folder), "--home", str(folder / "home"), "--json"]
    done = subprocess.run(words, capture_output=True, check=True)
    return Path(ReleaseStore(Home(folder / "home")).verified(json.loads(done.stdout)["release"]))


def _flyball(folder: Path) -> tuple[subprocess.Popen[bytes], int, str]:
    words = ["serve", str(folder), "--home", str(folder / "home"), "--port", "0", "--json"]
    process = subprocess.Popen([sys.executable, "-m", "flyball.app.cli", *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    url: str = json.loads(process.stdout.readline())["url"]
    return process, int(url.rpartition(":")[2]), "/v1/services/bench/predict"


def _fastapi(folder: Path, release: Path) -> tuple[subprocess.Popen[bytes], int, str]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    (folder / "peer.py").write_text(PEER)
    process = subprocess.Popen([sys.executable, str(folder / "peer.py"), str(release), str(port)])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/docs")
            connection.getresponse().read()
        except OSError:
            continue
        return process, port, "/predict"
    raise RuntimeError("the peer did not start")


def _has_fastapi() -> bool:
    import importlib.util

    return importlib.util.find_spec("fastapi") is not None


def _load(port: int, path: str) -> tuple[float, float, float]:
    """(requests a second, p50 ms, p99 ms) of one turn."""
    if shutil.which("wrk") is not None:
        return _wrk(port, path)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_client, (port, path))


def _client(port: int, path: str) -> tuple[float, float, float]:
    return asyncio.run(_hammer(port, path))


async def _hammer(port: int, path: str) -> tuple[float, float, float]:
    """Raw HTTP/1.1 over kept connections: an HTTP library would be the slowest part of the run."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    request = head.encode() + BODY
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            times.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return len(times) / SECONDS, *_quantiles(times)


def _quantiles(times: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return ordered[len(ordered) // 2] * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3


def _wrk(port: int, path: str) -> tuple[float, float, float]:
    script = Path(".bench-wrk.lua")
    text = BODY.decode().replace('"', '\\"')
    done = 'done = function(s, l, r) io.write(string.format("%f %f %f\\n", s.requests / s.duration * 1e6,'
    done += " l:percentile(50) / 1e3, l:percentile(99) / 1e3)) end\n"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = "{text}"\nwrk.headers["content-type"] = "application/json"\n{done}'
    )
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS:.0f}s", "-s", str(script), f"http://127.0.0.1:{port}{path}"]
    try:
        output = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    finally:
        script.unlink()
    rps, p50, p99 = (float(word) for word in output.strip().splitlines()[-1].split())
    return rps, p50, p99


if __name__ == "__main__":
    main()
