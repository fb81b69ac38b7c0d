"""One turn of load over kept connections from the other core: wrk where it is there, else an asyncio client."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from benchmarks._gateway.servers import LOAD_CORE, Server


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one turn found."""

    rps: float  # requests answered with 200 a second
    refused: int  # others
    p50_ms: float
    p99_ms: float
    cpu_us: float  # processor time of the server and its children, a request


def turn(server: Server, bodies: Sequence[bytes], *, connections: int, seconds: float) -> Turn:
    """What is not answered with 200 (an overloaded gateway turns requests away) is counted apart."""
    spent = server.cpu_s()
    tool = _wrk if shutil.which("wrk") else _asyncio
    rps, p50, p99, refused = tool(server, bodies, connections, seconds)
    cpu_us = (server.cpu_s() - spent) / (rps * seconds) * 1e6
    return Turn(rps=rps - refused / seconds, p50_ms=p50, p99_ms=p99, cpu_us=cpu_us, refused=int(refused))


def _wrk(server: Server, bodies: Sequence[bytes], connections: int, seconds: float) -> list[float]:
    texts = ",".join("[==[" + body.decode() + "]==]" for body in bodies)
    script = f"""
local bodies, requests, at = {{{texts}}}, {{}}, 0
init = function(args)
  for i, body in ipairs(bodies) do
    requests[i] = wrk.format("POST", nil, {{["content-type"] = "application/json"}}, body)
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency, _)
  local bad = summary.errors
  io.write(string.format("%f %f %f %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, bad.status + bad.connect + bad.read + bad.write + bad.timeout))
end
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.lua"
        path.write_text(script)
        words = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        words += ["--timeout", "30s"]
        words += ["-s", str(path), f"http://127.0.0.1:{server.port}{server.path}"]
        said = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    return [float(word) for word in said.strip().splitlines()[-1].split()]


def _asyncio(server: Server, bodies: Sequence[bytes], connections: int, seconds: float) -> list[float]:
    question = [server.port, server.path, [body.decode() for body in bodies], connections, seconds]
    words = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "benchmarks._gateway.load"]
    said = subprocess.run(words, input=msgspec.json.encode(question), capture_output=True, check=True).stdout
    return msgspec.json.decode(said, type=list[float])


async def _hammer(port: int, path: str, bodies: list[str], connections: int, seconds: float) -> list[float]:
    """Raw HTTP/1.1: an HTTP library would be the slowest part of the run."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: "
    requests = [f"{head}{len(body)}\r\n\r\n{body}".encode() for body in bodies]
    times: list[float] = []
    refused = 0
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            number += 1
            writer.write(requests[number % len(requests)])
            answer = await reader.readuntil(b"\r\n\r\n")
            refused += not answer.startswith(b"HTTP/1.1 200")
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            times.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(one(number) for number in range(connections)))
    ordered = sorted(times)
    p50, p99 = ordered[len(ordered) // 2] * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3
    return [len(times) / seconds, p50, p99, refused]


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_hammer(*asked))))
