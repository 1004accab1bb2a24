#!/usr/bin/env python3
"""Memory of a runner with many executions that wait: scripts/bench-waiting.py <stairwell> [executions].

Starts `up` with a machine of one Wait state, starts the executions over HTTP, and prints the resident memory before and
after. Needs nothing but Python.
"""

import pathlib
import sys
import tempfile
import threading
import time

from runner import Runner, load, memory

TEMPLATE = pathlib.Path(__file__).parent.parent / "tests/fixtures/waiting/template.yaml"

if len(sys.argv) < 2:
    sys.exit(__doc__)
count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000

with tempfile.TemporaryDirectory() as folder, Runner(sys.argv[1], "-t", TEMPLATE, "--data", folder) as runner:
    print(f"ready after {runner.seconds_to_ready * 1000:.0f} ms; {load()}")
    # What it tells of each execution must be read, or it waits.
    threading.Thread(target=runner.process.stdout.read, daemon=True).start()
    print(f"at rest: {memory(runner.process.pid, 'VmRSS'):.1f} MB")
    machine = runner.ready["stateMachines"]["Waiting"]
    begun = time.perf_counter()
    for _ in range(count):
        runner.states("StartExecution", stateMachineArn=machine)
    took = time.perf_counter() - begun
    print(f"{count} executions waiting: {memory(runner.process.pid, 'VmRSS'):.1f} MB, started in {took:.1f} s")
