"""All operations of Step Functions."""

import json
import threading

import pytest
from conftest import ACCOUNT, REGION, eventually, refused

ROLE = f"arn:aws:iam::{ACCOUNT}:role/test"
PASS = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}


@pytest.fixture(scope="module")
def sfn(cloud):
    return cloud.client("stepfunctions")


def machine(sfn, name, definition, **more):
    created = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **more)
    return created["stateMachineArn"]


def ended(sfn, arn):
    """The description of an execution that runs no more."""

    def look():
        described = sfn.describe_execution(executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    return eventually(look, f"the end of {arn}")


def test_a_machine_is_created_described_listed_updated_and_deleted(sfn, name):
    arn = machine(sfn, name, PASS)
    assert arn == f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
    described = sfn.describe_state_machine(stateMachineArn=arn)
    assert (described["status"], described["type"], described["roleArn"]) == ("ACTIVE", "STANDARD", ROLE)
    assert json.loads(described["definition"]) == PASS
    pages = sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    assert arn in [listed["stateMachineArn"] for page in pages for listed in page["stateMachines"]]

    updated = sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT))
    assert updated["revisionId"]
    assert json.loads(sfn.describe_state_machine(stateMachineArn=arn)["definition"]) == WAIT
    with refused("StateMachineAlreadyExists"):
        machine(sfn, name, PASS)
    sfn.delete_state_machine(stateMachineArn=arn)
    with refused("StateMachineDoesNotExist"):
        sfn.describe_state_machine(stateMachineArn=arn)


def test_an_execution_is_started_once_and_tells_its_history(sfn, name):
    arn = machine(sfn, name, PASS)
    started = sfn.start_execution(stateMachineArn=arn, name="one", input='{"a": 1}')
    described = ended(sfn, started["executionArn"])
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"a": 1})
    history = sfn.get_execution_history(executionArn=started["executionArn"], maxResults=2)
    rest = sfn.get_execution_history(executionArn=started["executionArn"], nextToken=history["nextToken"])
    types = [event["type"] for event in history["events"] + rest["events"]]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    backwards = sfn.get_execution_history(executionArn=started["executionArn"], reverseOrder=True)["events"]
    assert [event["type"] for event in backwards] == types[::-1]
    of = sfn.describe_state_machine_for_execution(executionArn=started["executionArn"])
    assert (of["stateMachineArn"], of["name"]) == (arn, name)
    with refused("ExecutionAlreadyExists"):
        sfn.start_execution(stateMachineArn=arn, name="one", input='{"a": 2}')
    listed = sfn.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [execution["name"] for execution in listed] == ["one"]


def test_a_running_execution_is_the_same_when_it_is_started_again_and_is_stopped(sfn, name):
    arn = machine(sfn, name, WAIT)
    first = sfn.start_execution(stateMachineArn=arn, name="same", input="{}")
    again = sfn.start_execution(stateMachineArn=arn, name="same", input="{}")
    assert first["executionArn"] == again["executionArn"] and first["startDate"] == again["startDate"]
    sfn.stop_execution(executionArn=first["executionArn"], error="Enough", cause="It waits too long.")
    described = ended(sfn, first["executionArn"])
    assert [described[field] for field in ("status", "error", "cause")] == ["ABORTED", "Enough", "It waits too long."]


def test_an_express_execution_is_answered_at_once(sfn, name):
    arn = machine(sfn, name, PASS, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn, input='{"b": 2}')
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"b": 2})
    assert answer["billingDetails"]["billedDurationInMilliseconds"] >= 100
    assert ":express:" in sfn.start_execution(stateMachineArn=arn)["executionArn"]
    with refused("StateMachineTypeNotSupported"):
        sfn.start_sync_execution(stateMachineArn=machine(sfn, name + "-standard", PASS))


def test_versions_and_aliases_lead_to_their_definitions(sfn, name):
    arn = machine(sfn, name, PASS)
    one = sfn.publish_state_machine_version(stateMachineArn=arn, description="the first")["stateMachineVersionArn"]
    sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT))
    two = sfn.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"]
    assert (one, two) == (f"{arn}:1", f"{arn}:2")
    versions = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [version["stateMachineVersionArn"] for version in versions] == [two, one]

    route = [{"stateMachineVersionArn": one, "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
    assert alias == f"{arn}:live"
    started = sfn.start_execution(stateMachineArn=alias)
    described = ended(sfn, started["executionArn"])
    assert (described["stateMachineAliasArn"], described["stateMachineVersionArn"]) == (alias, one)

    shares = [{"stateMachineVersionArn": two, "weight": 60}, {"stateMachineVersionArn": one, "weight": 40}]
    sfn.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=shares, description="both")
    told = sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert (told["routingConfiguration"], told["description"]) == (shares, "both")
    aliases = sfn.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [listed["stateMachineAliasArn"] for listed in aliases] == [alias]
    with refused("ConflictException"):
        sfn.delete_state_machine_version(stateMachineVersionArn=one)
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    sfn.delete_state_machine_version(stateMachineVersionArn=one)
    versions = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [version["stateMachineVersionArn"] for version in versions] == [two]


def test_tags_are_put_on_and_taken_off(sfn, name):
    arn = machine(sfn, name, PASS, tags=[{"key": "team", "value": "blue"}])
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "test"}])
    tags = {tag["key"]: tag["value"] for tag in sfn.list_tags_for_resource(resourceArn=arn)["tags"]}
    assert tags == {"team": "blue", "stage": "test"}
    sfn.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert [tag["key"] for tag in sfn.list_tags_for_resource(resourceArn=arn)["tags"]] == ["stage"]


def test_a_worker_takes_an_activitys_tasks_and_ends_them(sfn, name):
    activity = sfn.create_activity(name=name)["activityArn"]
    assert sfn.describe_activity(activityArn=activity)["name"] == name
    assert activity in [listed["activityArn"] for listed in sfn.list_activities()["activities"]]
    work = {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 600, "End": True}
    arn = machine(sfn, name, {"StartAt": "Work", "States": {"Work": work}})

    good = sfn.start_execution(stateMachineArn=arn, input='{"n": 1}')["executionArn"]
    task = sfn.get_activity_task(activityArn=activity, workerName="me")
    assert json.loads(task["input"]) == {"n": 1}
    sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
    assert json.loads(ended(sfn, good)["output"]) == {"n": 2}

    bad = sfn.start_execution(stateMachineArn=arn, input='{"n": 3}')["executionArn"]
    task = sfn.get_activity_task(activityArn=activity)
    sfn.send_task_failure(taskToken=task["taskToken"], error="No", cause="I can't.")
    described = ended(sfn, bad)
    assert [described[field] for field in ("status", "error", "cause")] == ["FAILED", "No", "I can't."]
    with refused("TaskTimedOut"):
        sfn.send_task_success(taskToken=task["taskToken"], output="{}")
    with refused("InvalidToken"):
        sfn.send_task_heartbeat(taskToken="nobody's")
    sfn.delete_activity(activityArn=activity)
    with refused("ActivityDoesNotExist"):
        sfn.describe_activity(activityArn=activity)


def test_a_worker_that_asks_first_waits_for_the_task(cloud, sfn, name):
    activity = sfn.create_activity(name=name)["activityArn"]
    taken = []
    asking = threading.Thread(target=lambda: taken.append(cloud.client("stepfunctions").get_activity_task(activityArn=activity)))
    asking.start()
    arn = machine(sfn, name, {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": activity, "End": True}}})
    execution = sfn.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    asking.join()
    sfn.send_task_success(taskToken=taken[0]["taskToken"], output='"done"')
    assert json.loads(ended(sfn, execution)["output"]) == "done"


def test_a_map_run_is_told_of_and_changed(sfn, name):
    item = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "SecondsPath": "$", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **item}
    each = {"Type": "Map", "ItemsPath": "$", "MaxConcurrency": 2, "ItemProcessor": processor, "End": True}
    arn = machine(sfn, name, {"StartAt": "Each", "States": {"Each": each}})
    execution = sfn.start_execution(stateMachineArn=arn, input="[3600, 3600, 3600]")["executionArn"]
    run = eventually(lambda: sfn.list_map_runs(executionArn=execution)["mapRuns"], "a Map Run")[0]["mapRunArn"]

    def two_run():
        described = sfn.describe_map_run(mapRunArn=run)
        return described if described["itemCounts"]["running"] == 2 else None

    assert eventually(two_run, "two items at once")["maxConcurrency"] == 2
    sfn.update_map_run(mapRunArn=run, maxConcurrency=3, toleratedFailureCount=1)
    described = sfn.describe_map_run(mapRunArn=run)
    assert (described["maxConcurrency"], described["toleratedFailureCount"]) == (3, 1)
    assert eventually(lambda: len(sfn.list_executions(mapRunArn=run)["executions"]) == 3, "three children")
    sfn.stop_execution(executionArn=execution)
    assert ended(sfn, execution)["status"] == "ABORTED"


def test_a_failed_execution_goes_on_where_it_failed(sfn, name):
    activity = sfn.create_activity(name=name)["activityArn"]
    states = {
        "Before": {"Type": "Pass", "Next": "Work"},
        "Work": {"Type": "Task", "Resource": activity, "End": True},
    }
    arn = machine(sfn, name, {"StartAt": "Before", "States": states})
    execution = sfn.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    with refused("ExecutionNotRedrivable"):
        sfn.redrive_execution(executionArn=execution)
    sfn.send_task_failure(taskToken=sfn.get_activity_task(activityArn=activity)["taskToken"], error="No")
    assert ended(sfn, execution)["redriveStatus"] == "REDRIVABLE"
    assert sfn.redrive_execution(executionArn=execution)["redriveDate"]
    sfn.send_task_success(taskToken=sfn.get_activity_task(activityArn=activity)["taskToken"], output='"at last"')
    described = ended(sfn, execution)
    assert (described["status"], described["redriveCount"]) == ("SUCCEEDED", 1)
    types = [event["type"] for event in sfn.get_execution_history(executionArn=execution)["events"]]
    assert "ExecutionRedriven" in types and types.count("PassStateEntered") == 1


def test_a_state_is_tested_alone(sfn):
    state = {"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "Somewhere"}
    tested = sfn.test_state(definition=json.dumps(state), roleArn=ROLE, input='{"a": 1}', inspectionLevel="DEBUG")
    assert (tested["status"], json.loads(tested["output"]), tested["nextState"]) == ("SUCCEEDED", {"b": 1}, "Somewhere")
    assert json.loads(tested["inspectionData"]["afterParameters"]) == {"b": 1}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}, "End": True}
    mock = {"result": json.dumps({"StatusCode": 200, "Payload": "done"})}
    tested = sfn.test_state(definition=json.dumps(task), roleArn=ROLE, input="{}", mock=mock)
    assert json.loads(tested["output"])["Payload"] == "done"


def test_a_definition_is_checked(sfn):
    good = sfn.validate_state_machine_definition(definition=json.dumps(PASS))
    assert (good["result"], good["diagnostics"]) == ("OK", [])
    astray = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}
    bad = sfn.validate_state_machine_definition(definition=json.dumps(astray))
    assert bad["result"] == "FAIL"
    assert bad["diagnostics"][0]["code"] == "MISSING_TRANSITION_TARGET"
    assert bad["diagnostics"][0]["location"] == "/States/A/Next"
    with refused("InvalidDefinition"):
        machine(sfn, "astray", astray)


def test_what_a_request_lacks_is_told(sfn):
    with refused("InvalidArn"):
        sfn.describe_execution(executionArn="no-arn")
    with refused("ExecutionDoesNotExist"):
        sfn.describe_execution(executionArn=f"arn:aws:states:{REGION}:{ACCOUNT}:execution:none:none")
    with refused("InvalidName"):
        machine(sfn, "a name", PASS)
    with refused("InvalidExecutionInput"):
        sfn.start_execution(stateMachineArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Echo", input="{")


# An action of each service with what it answers: `{name}` is of the test alone.
ACTIONS = [
    ("cloudwatch:listMetrics", {"Namespace": "{name}"}, {"Metrics": []}),
    ("cloudwatchlogs:describeLogGroups", {"LogGroupNamePrefix": "{name}"}, {"LogGroups": []}),
    ("dynamodb:listTables", {"ExclusiveStartTableName": "zzz"}, {"TableNames": []}),
    ("dynamodb:describeTable", {"TableName": "{name}"}, "DynamoDb.ResourceNotFoundException"),
    ("dynamodbstreams:listStreams", {"TableName": "{name}"}, {"Streams": []}),
    ("eventbridge:listRules", {"NamePrefix": "{name}"}, {"Rules": []}),
    ("eventbridge:describeRule", {"Name": "{name}"}, "EventBridge.ResourceNotFoundException"),
    ("lambda:getFunctionConcurrency", {"FunctionName": "python"}, {"ReservedConcurrentExecutions": 1}),
    ("lambda:getFunction", {"FunctionName": "{name}"}, "Lambda.ResourceNotFoundException"),
    ("s3:getObject", {"Bucket": "{name}", "Key": "k"}, "S3.NoSuchBucketException"),
    ("scheduler:listSchedules", {"NamePrefix": "{name}"}, {"Schedules": []}),
    ("scheduler:getSchedule", {"Name": "{name}"}, "Scheduler.ResourceNotFoundException"),
    ("secretsmanager:describeSecret", {"SecretId": "{name}"}, "SecretsManager.ResourceNotFoundException"),
    ("sfn:listExecutions", {"StateMachineArn": "{machine}"}, "Sfn.StateMachineTypeNotSupportedException"),
    ("sns:getTopicAttributes", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:none"}, "Sns.NotFoundException"),
    ("sqs:getQueueUrl", {"QueueName": "{name}"}, "Sqs.QueueDoesNotExistException"),
    ("ssm:getParameter", {"Name": "{name}"}, "Ssm.ParameterNotFoundException"),
    ("sts:getCallerIdentity", {}, {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": ACCOUNT}),
]


@pytest.mark.parametrize("action, parameters, expected", ACTIONS, ids=[action for action, _, _ in ACTIONS])
def test_tasks_call_every_service(sfn, name, action, parameters, expected):
    short = name[-40:].lower().strip("-")
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
    filled = json.loads(json.dumps(parameters).replace("{name}", short).replace("{machine}", arn))
    call = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{action}", "Parameters": filled, "End": True}
    created = machine(sfn, name, {"StartAt": "Call", "States": {"Call": call}}, type="EXPRESS")
    done = sfn.start_sync_execution(stateMachineArn=created)
    if isinstance(expected, str):
        assert (done["status"], done["error"]) == ("FAILED", expected), done["cause"]
    else:
        assert json.loads(done["output"]) == expected
