#!/usr/bin/env python3
"""How long the workflow Backfill takes for many small files in the local cloud, and how much memory.

    scripts/bench-backfill.py [files] [stairwell]

Files: 10,000 unless said. The second argument is the binary, `target/debug/stairwell` unless said.
"""

import json
import sys
import time

from runner import Runner, load, memory

files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
binary = sys.argv[2] if len(sys.argv) > 2 else "target/debug/stairwell"

with Runner(binary, "--ephemeral") as runner:
    for number in range(files):
        runner.put(runner.ready["buckets"]["DataBucket"], f"small/{number:06}.csv", "id,name\n1,a\n")
    print(f"{files} files are in the bucket")

    machine = runner.ready["stateMachines"]["Backfill"]
    wanted = json.dumps({"source": "list", "prefix": "small/", "toleratedFailurePercentage": 0})
    begun = time.monotonic()
    end = runner.end_of(runner.states("StartExecution", stateMachineArn=machine, input=wanted)["executionArn"])
    took = time.monotonic() - begun
    print(f"{took:.1f} s, {files / took:.0f} files a second; {load()}")
    functions = [memory(process, "VmHWM") for _, process in runner.functions()]
    own = memory(runner.process.pid, "VmHWM")
    print(f"runner {own:.0f} MB, {len(functions)} processes of functions {sum(functions):.0f} MB in all")
    print(json.dumps(end.get("output"), indent=2))
