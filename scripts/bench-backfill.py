#!/usr/bin/env python3
"""How long the workflow Backfill takes for many small files in the local cloud, and how much memory.

    scripts/bench-backfill.py [files] [stairwell]

Files: 10,000 unless said. The second argument is the binary, `target/debug/stairwell` unless said.
"""

import http.client
import json
import os
import pathlib
import subprocess
import sys
import time

files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
binary = sys.argv[2] if len(sys.argv) > 2 else "target/debug/stairwell"


def peak(pid):
    """The most memory that a process had, in MB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def children(pid):
    """The processes that its threads have started."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


runner = subprocess.Popen([binary, "up", "--ephemeral", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True)
try:
    ready = next(line for line in map(json.loads, runner.stdout) if "endpointUrl" in line)
    connection = http.client.HTTPConnection(ready["endpointUrl"].removeprefix("http://"))
    bucket = ready["buckets"]["DataBucket"]
    for number in range(files):
        connection.request("PUT", f"/{bucket}/small/{number:06}.csv", body="id,name\n1,a\n")
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    print(f"{files} files are in the bucket")

    start = {
        "stateMachineArn": ready["stateMachines"]["Backfill"],
        "input": json.dumps({"source": "list", "prefix": "small/", "toleratedFailurePercentage": 0}),
    }
    headers = {"x-amz-target": "AWSStepFunctions.StartExecution", "content-type": "application/x-amz-json-1.0"}
    began = time.monotonic()
    connection.request("POST", "/", body=json.dumps(start), headers=headers)
    arn = json.load(connection.getresponse())["executionArn"]
    # Every event of every execution comes by here, and is skipped unread.
    end = next(line for line in runner.stdout if arn in line and '"status"' in line)
    took = time.monotonic() - began
    print(f"{took:.1f} s, {files / took:.0f} files a second; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    functions = [peak(child) for child in children(runner.pid)]
    print(f"runner {peak(runner.pid):.0f} MB, {len(functions)} processes of functions {sum(functions):.0f} MB in all")
    print(json.dumps(json.loads(end).get("output"), indent=2))
finally:
    runner.terminate()
    runner.wait()
