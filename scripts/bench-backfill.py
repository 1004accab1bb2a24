#!/usr/bin/env python3
"""How long the workflow Backfill takes for many small files, in the local cloud.

    scripts/bench-backfill.py [files] [stairwell]

Files: 10,000 unless said. The second argument is the binary, `target/debug/stairwell` unless said.
"""

import http.client
import json
import subprocess
import sys
import time

files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
binary = sys.argv[2] if len(sys.argv) > 2 else "target/debug/stairwell"

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
    print(f"{took:.1f} s, {files / took:.0f} files a second")
    print(json.dumps(json.loads(end).get("output"), indent=2))
finally:
    runner.terminate()
    runner.wait()
