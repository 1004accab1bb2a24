"""What docs/workflows/backfill.md computes is computed of what a run does."""

import importlib.util
import json
import subprocess
import sys

from conftest import ACCOUNT, REGION, ROOT, eventually

SCRIPT = ROOT / "scripts/backfill-cost.py"
ARN = f"arn:aws:states:{REGION}:{ACCOUNT}"
FILES, BATCHES = 25, 2


def script():
    spec = importlib.util.spec_from_file_location("backfill_cost", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_the_tables_of_the_script():
    ran = subprocess.run([sys.executable, SCRIPT, "--check"], text=True, capture_output=True)
    assert ran.returncode == 0, ran.stderr


def test_a_run_enters_as_many_states_as_are_charged(application):
    s3, sfn = application.client("s3"), application.client("stepfunctions")
    for number in range(FILES):
        s3.put_object(Bucket=f"stairwell-databucket-{ACCOUNT}", Key=f"charged/{number}.csv", Body=b"id\n1\n")
    start = json.dumps({"source": "list", "prefix": "charged/"})
    backfill = sfn.start_execution(stateMachineArn=f"{ARN}:stateMachine:Backfill", input=start)["executionArn"]

    def status():
        described = sfn.describe_execution(executionArn=backfill)["status"]
        return described != "RUNNING" and described

    assert eventually(status, "the backfill's end") == "SUCCEEDED"

    def entered(executions):
        history = sfn.get_paginator("get_execution_history")
        pages = [page for arn in executions for page in history.paginate(executionArn=arn)]
        return sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])

    def started_by(machine, executions):
        """The executions of the machine that these have started."""
        listed = sfn.list_executions(stateMachineArn=f"{ARN}:stateMachine:{machine}", maxResults=1000)["executions"]
        arns = [execution["executionArn"] for execution in listed]
        key = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
        return [arn for arn in arns if json.loads(sfn.describe_execution(executionArn=arn)["input"]).get(key) in executions]

    run = sfn.list_map_runs(executionArn=backfill)["mapRuns"][0]["mapRunArn"]
    children = [child["executionArn"] for child in sfn.list_executions(mapRunArn=run)["executions"]]
    batches = started_by("BackfillBatch", children)
    files = started_by("FileProcessing", batches)
    assert (len(children), len(batches), len(files)) == (BATCHES, BATCHES, FILES)

    told = script()
    of_a_file, of_a_batch = told.OF_A_FILE, told.OF_A_BATCH
    assert entered(files) == FILES * of_a_file["FileProcessing"]
    assert entered(batches) == FILES * of_a_file["BackfillBatch"] + BATCHES * of_a_batch["BackfillBatch"]
    assert entered(children) == BATCHES * of_a_batch["Backfill"]
