#!/usr/bin/env python3
"""How long the workflow Images takes for one picture in the local cloud, and how much memory each of its functions.

    scripts/bench-images.py <picture> [stairwell] [arguments of `stairwell up` …]

The second argument is the binary, `target/debug/stairwell` unless said. With `--release` after it the functions are built with
the release profile, all of the template's. `target/release/examples/draw picture 50 picture.jpg` draws a picture of 50 megapixels;
scripts/bench-images.sh builds it.
"""

import http.client
import json
import os
import pathlib
import subprocess
import sys

picture = pathlib.Path(sys.argv[1])
binary = sys.argv[2] if len(sys.argv) > 2 else "target/debug/stairwell"


def peak(pid):
    """The most memory that a process had, in MB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def functions(pid):
    """The processes that its threads have started, by the names of their programs."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return sorted((os.path.basename(os.readlink(f"/proc/{child}/exe")), child) for child in children)


up = [binary, "up", "--ephemeral", "--port", "0", "--json", *sys.argv[3:]]
runner = subprocess.Popen(up, stdout=subprocess.PIPE, text=True)
try:
    ready = next(line for line in map(json.loads, runner.stdout) if "endpointUrl" in line)
    connection = http.client.HTTPConnection(ready["endpointUrl"].removeprefix("http://"))

    def call(headers, body):
        connection.request("POST", "/", body=json.dumps(body), headers=headers)
        return json.load(connection.getresponse())

    def states(operation, **body):
        target = {"x-amz-target": f"AWSStepFunctions.{operation}", "content-type": "application/x-amz-json-1.0"}
        return call(target, body)

    bucket = ready["buckets"]["DataBucket"]
    # Not where a new object starts the workflow by itself.
    connection.request("PUT", f"/{bucket}/measured/{picture.name}", body=picture.read_bytes())
    connection.getresponse().read()
    machine = ready["stateMachines"]["Images"]
    start = json.dumps({"bucket": bucket, "key": f"measured/{picture.name}"})
    arn = states("StartExecution", stateMachineArn=machine, input=start)["executionArn"]
    # Every event of every execution comes by here.
    end = json.loads(next(line for line in runner.stdout if arn in line and '"status"' in line))
    events = states("GetExecutionHistory", executionArn=arn, maxResults=1000)["events"]
    entered = {}
    for event in events:
        if details := event.get("stateEnteredEventDetails"):
            entered[details["name"]] = event["timestamp"]
        if event["type"] in ("TaskStateExited", "ParallelStateExited"):
            name = event["stateExitedEventDetails"]["name"]
            print(f"{name}: {event['timestamp'] - entered[name]:.1f} s")
    for name, pid in functions(runner.pid):
        if name.endswith(("-image", "-images")):
            print(f"{name}: peak memory {peak(pid):.0f} MB")
    print(f"{end['status']}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
finally:
    runner.terminate()
    runner.wait()
