"""The examples of the README for the AWS command line, as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, eventually


def examples():
    """The lines of the block that exports the endpoint."""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", (ROOT / "README.md").read_text(), re.MULTILINE)
    block = next(block for block in blocks if "export AWS_ENDPOINT_URL" in block)
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


def test_the_readmes_examples_work(application):
    sfn = application.client("stepfunctions")
    execution = sfn.start_execution(
        stateMachineArn="arn:aws:states:us-east-1:000000000000:stateMachine:HelloWorld", input='{"IsHelloWorldExample": false}'
    )["executionArn"]
    script = examples().replace("http://127.0.0.1:4566", application.endpoint)
    assert script.count("…") == 1, "one example leaves an execution's ARN to the reader"
    script = "set -euo pipefail\n" + script.replace("…", execution)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # The reader's own AWS settings are not those of the example.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(["bash"], input=script, env={**environment, "PATH": path}, cwd=ROOT, text=True, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    for told in ("upload: samples/orders.csv", "executionArn", "ExecutionStarted", '"executions"'):
        assert told in ran.stdout, f"{told}: {ran.stdout}\n{ran.stderr}"

    def done():
        machine = "arn:aws:states:us-east-1:000000000000:stateMachine:FileProcessing"
        executions = sfn.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
        # That of the file that was put into the bucket. The request's names a file in the same place.
        return executions and not sfn.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]

    eventually(done, "the file's workflow")
