#!/usr/bin/env python3
"""Memory of a runner with many executions that wait: scripts/bench-waiting.py <stairwell> [executions].

Starts `up` with a machine of one Wait state, starts the executions over HTTP, and prints the resident memory before and
after. Needs nothing but Python.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TEMPLATE = pathlib.Path(__file__).parent.parent / "tests/fixtures/waiting/template.yaml"


def main() -> None:
    runner, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        command = [runner, "up", "-t", str(TEMPLATE), "--port", "0", "--data", folder, "--json"]
        begun = time.perf_counter()
        up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            ready = json.loads(up.stdout.readline())
            # What it tells of each execution must be read, or it waits.
            threading.Thread(target=up.stdout.read, daemon=True).start()
            print(f"ready after {(time.perf_counter() - begun) * 1000:.0f} ms")
            measure(up.pid, ready, count)
        finally:
            up.terminate()
            up.wait()


def measure(pid: int, ready: dict, count: int) -> None:
    print(f"at rest: {resident(pid):.1f} MB")
    body = json.dumps({"stateMachineArn": ready["stateMachines"]["Waiting"]}).encode()
    begun = time.perf_counter()
    for _ in range(count):
        headers = {"X-Amz-Target": "AWSStepFunctions.StartExecution", "Content-Type": "application/x-amz-json-1.0"}
        urllib.request.urlopen(urllib.request.Request(ready["endpointUrl"], body, headers)).read()
    took = time.perf_counter() - begun
    print(f"{count} executions waiting: {resident(pid):.1f} MB, started in {took:.1f} s, one connection each")


def resident(pid: int) -> float:
    """Resident memory in MB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000


if __name__ == "__main__":
    main()
