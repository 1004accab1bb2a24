#!/usr/bin/env python3
"""How long the workflow Images takes for one picture in the local cloud, and how much memory each of its functions.

    scripts/bench-images.py <picture> [stairwell] [arguments of `stairwell up` …]

The second argument is the binary, `target/debug/stairwell` unless said. With `--release` after it the functions are built with
the release profile, all of the template's. `target/release/examples/draw picture 50 picture.jpg` draws a picture of 50 megapixels;
scripts/bench-images.sh builds it.
"""

import json
import pathlib
import sys

from runner import Runner, load, memory

picture = pathlib.Path(sys.argv[1])
binary = sys.argv[2] if len(sys.argv) > 2 else "target/debug/stairwell"

with Runner(binary, "--ephemeral", *sys.argv[3:]) as runner:
    bucket = runner.ready["buckets"]["DataBucket"]
    # Not where a new object starts the workflow by itself.
    runner.put(bucket, f"measured/{picture.name}", picture.read_bytes())
    start = json.dumps({"bucket": bucket, "key": f"measured/{picture.name}"})
    machine = runner.ready["stateMachines"]["Images"]
    arn = runner.states("StartExecution", stateMachineArn=machine, input=start)["executionArn"]
    end = runner.end_of(arn)
    events = runner.states("GetExecutionHistory", executionArn=arn, maxResults=1000)["events"]
    entered = {}
    for event in events:
        if details := event.get("stateEnteredEventDetails"):
            entered[details["name"]] = event["timestamp"]
        if event["type"] in ("TaskStateExited", "ParallelStateExited"):
            name = event["stateExitedEventDetails"]["name"]
            print(f"{name}: {event['timestamp'] - entered[name]:.1f} s")
    for name, process in runner.functions():
        if name.endswith(("-image", "-images")):
            print(f"{name}: peak memory {memory(process, 'VmHWM'):.0f} MB")
    print(f"{end['status']}; {load()}")
