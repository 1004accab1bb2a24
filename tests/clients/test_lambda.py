"""Lambda: functions of the template, in three languages, and functions that are made by the API."""

import base64
import io
import json
import threading
import zipfile

import pytest
from conftest import ROOT, Cloud, eventually, refused

ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture(scope="module")
def functions(cloud):
    return cloud.client("lambda")


@pytest.fixture
def made(functions, name):
    """The name of a function that was made, in Python."""
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive(module("one"))},
        Environment={"Variables": {"STAGE": "test"}},
        Tags={"team": "blue"},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    yield name
    functions.delete_function(FunctionName=name)


def event():
    return (ROOT / "events/log-metric/level.json").read_bytes()


def archive(text):
    """An archive with one module."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("app.py", text)
    return data.getvalue()


def module(name):
    return f"import os\ndef handler(event, context): return ['{name}', context.function_version, os.environ.get('STAGE')]\n"


def said(functions, name, payload=None, **more):
    """What a function answers, and the answer's `FunctionError`."""
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(payload or {}), **more)
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_a_function_is_invoked(cloud, functions):
    answer = functions.invoke(FunctionName="log-metric", Payload=event(), LogType="Tail")
    assert (answer["StatusCode"], "FunctionError" in answer) == (200, False)
    assert json.loads(answer["Payload"].read())["namespace"] == "TEST"
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId: " in log and "END RequestId: " in log and "REPORT RequestId: " in log
    listed = cloud.client("cloudwatch").list_metrics(Namespace="TEST")["Metrics"]
    assert [metric["MetricName"] for metric in listed] == ["CompleteLevel"]


def test_what_a_function_fails_with_is_told(functions):
    answer = functions.invoke(FunctionName="log-metric", Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "InvalidInput"
    with refused("ResourceNotFoundException"):
        functions.invoke(FunctionName="none", Payload=b"{}")
    assert functions.invoke(FunctionName="log-metric", InvocationType="DryRun")["StatusCode"] == 204


def test_an_event_is_taken_and_worked_on_later(cloud, functions):
    cloudwatch = cloud.client("cloudwatch")
    assert functions.invoke(FunctionName="log-metric", InvocationType="Event", Payload=event())["StatusCode"] == 202
    eventually(lambda: cloudwatch.list_metrics(Namespace="TEST").get("Metrics"), "the metric")


def test_functions_are_told_of(functions):
    configuration = functions.get_function_configuration(FunctionName="log-metric")
    assert (configuration["Runtime"], configuration["State"]) == ("provided.al2023", "Active")
    assert functions.get_function(FunctionName="log-metric")["Configuration"]["FunctionArn"] == configuration["FunctionArn"]
    names = [listed["FunctionName"] for listed in functions.list_functions()["Functions"]]
    assert {"log-metric", "node", "python"} <= set(names) and names == sorted(names)


@pytest.mark.parametrize("name, kind, trace", [("python", "LookupError", "stackTrace"), ("node", "RangeError", "trace")])
def test_scripts_answer_and_fail_as_on_lambda(functions, name, kind, trace):
    assert said(functions, name, {"a": 1}) == ({"seen": {"a": 1}, "by": name}, None)
    error, failed = said(functions, name, {"fail": "none left"})
    assert (failed, error["errorType"], error["errorMessage"]) == ("Unhandled", kind, "none left")
    assert "index." in "".join(error[trace])


def test_more_than_are_reserved_are_refused(functions):
    # The one that is let in holds the function for a while; it may have to wait for a turn itself.
    first = threading.Thread(target=lambda: eventually(lambda: refusal(functions, {"sleep": 1}) is None))
    first.start()
    try:
        throttled = eventually(lambda: refusal(functions), "the refusal")
    finally:
        first.join()
    assert throttled["Error"]["Code"] == "TooManyRequestsException"
    assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert throttled["ResponseMetadata"]["HTTPStatusCode"] == 429


def refusal(functions, payload=None):
    """What an invocation is refused with, if it is."""
    try:
        said(functions, "python", payload)
    except functions.exceptions.TooManyRequestsException as error:
        return error.response
    return None


def test_a_task_sees_that_a_function_is_throttled(cloud, functions, made):
    functions.put_function_concurrency(FunctionName=made, ReservedConcurrentExecutions=0)
    assert functions.get_function_concurrency(FunctionName=made)["ReservedConcurrentExecutions"] == 0
    states = cloud.client("stepfunctions")
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": made}, "End": True}
    machine = states.create_state_machine(
        name=made, roleArn=ROLE, definition=json.dumps({"StartAt": "Call", "States": {"Call": task}})
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    ended = eventually(lambda: ended_of(states, execution), "the end")
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.TooManyRequestsException")
    assert ended["cause"].startswith("Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: ")
    functions.delete_function_concurrency(FunctionName=made)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=made)
    settings = functions.get_account_settings()
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 999
    with refused("InvalidParameterValueException"):
        functions.put_function_concurrency(FunctionName=made, ReservedConcurrentExecutions=900)


def ended_of(states, execution):
    described = states.describe_execution(executionArn=execution)
    return described if described["status"] != "RUNNING" else None


def test_a_function_is_made_changed_and_deleted(functions, made):
    assert said(functions, made)[0] == ["one", "$LATEST", "test"]
    described = functions.get_function(FunctionName=made)
    assert (described["Tags"], described["Configuration"]["Role"]) == ({"team": "blue"}, ROLE)
    changed = functions.update_function_configuration(
        FunctionName=made, Environment={"Variables": {"STAGE": "next"}}, Timeout=9, Description="changed"
    )
    assert (changed["Timeout"], changed["Description"]) == (9, "changed")
    functions.get_waiter("function_updated_v2").wait(FunctionName=made)
    changed = functions.update_function_code(FunctionName=made, ZipFile=archive(module("two")))
    assert changed["CodeSha256"] != described["Configuration"]["CodeSha256"]
    assert said(functions, made)[0] == ["two", "$LATEST", "next"]
    with refused("ResourceConflictException"):
        functions.create_function(
            FunctionName=made, Runtime="python3.13", Role=ROLE, Handler="a.b", Code={"ZipFile": archive("")}
        )


def test_code_comes_from_a_bucket(cloud, functions, made, name):
    objects = cloud.client("s3")
    objects.create_bucket(Bucket=name)
    objects.put_object(Bucket=name, Key="code.zip", Body=archive(module("kept")))
    functions.update_function_code(FunctionName=made, S3Bucket=name, S3Key="code.zip")
    assert said(functions, made)[0] == ["kept", "$LATEST", "test"]


def test_versions_stay_and_aliases_move(functions, made):
    assert functions.publish_version(FunctionName=made, Description="first")["Version"] == "1"
    functions.update_function_code(FunctionName=made, ZipFile=archive(module("two")), Publish=True)
    versions = functions.list_versions_by_function(FunctionName=made)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    alias = functions.create_alias(FunctionName=made, Name="live", FunctionVersion="1")
    assert alias["AliasArn"].endswith(f":{made}:live")
    assert said(functions, made, Qualifier="live")[0] == ["one", "1", "test"]
    functions.update_alias(FunctionName=made, Name="live", FunctionVersion="2")
    answer = functions.invoke(FunctionName=alias["AliasArn"])
    assert (json.loads(answer["Payload"].read())[0], answer["ExecutedVersion"]) == ("two", "2")
    assert functions.get_alias(FunctionName=made, Name="live")["FunctionVersion"] == "2"
    assert [one["Name"] for one in functions.list_aliases(FunctionName=made)["Aliases"]] == ["live"]
    functions.delete_alias(FunctionName=made, Name="live")
    with refused("ResourceNotFoundException"):
        said(functions, made, Qualifier="live")


def test_an_archive_that_leads_out_of_its_folder_is_refused(functions, name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as written:
        written.writestr("../../out.py", "")
    with refused("InvalidParameterValueException"):
        functions.create_function(
            FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="a.b", Code={"ZipFile": data.getvalue()}
        )


def test_a_function_follows_its_source(request, tmp_path):
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Script:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: script, Runtime: python3.13, Handler: app.handler, CodeUri: src }
"""
    (tmp_path / "src").mkdir()
    (tmp_path / "template.yaml").write_text(template)
    source = tmp_path / "src/app.py"
    source.write_text(module("one"))
    running = Cloud(request.config.getoption("--binary"), tmp_path / "template.yaml")
    functions = running.client("lambda")
    assert said(functions, "script")[0][0] == "one"

    def is_changed():
        # Written again until it is seen: the sources are watched a moment after the runner is ready.
        source.write_text(module("two"))
        (name, *_), failed = said(functions, "script")
        assert failed is None
        return name == "two"

    eventually(is_changed, "the change")
    running.end()


def test_a_queue_is_given_to_a_function(cloud, functions, name):
    sqs = cloud.client("sqs")
    arn = lambda url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": "1"})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "3"}
    queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="no level")
    made = functions.create_event_source_mapping(
        FunctionName="log-metric", EventSourceArn=arn(queue), Enabled=False, BatchSize=5, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    identity = made["UUID"]
    told = functions.get_event_source_mapping(UUID=identity)
    assert (told["State"], told["BatchSize"], told["EventSourceArn"]) == ("Disabled", 5, arn(queue))
    assert told["FunctionArn"].endswith(":function:log-metric")
    with refused("ResourceConflictException"):
        functions.create_event_source_mapping(FunctionName="log-metric", EventSourceArn=arn(queue))
    # The function does not understand it, so it goes to the dead letters: nobody else takes it.
    functions.update_event_source_mapping(UUID=identity, Enabled=True)
    letter = eventually(lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5).get("Messages"), "a dead letter")
    assert letter[0]["Body"] == "no level"
    listed = functions.list_event_source_mappings(FunctionName="log-metric")["EventSourceMappings"]
    assert [(one["UUID"], one["State"]) for one in listed] == [(identity, "Enabled")]
    functions.delete_event_source_mapping(UUID=identity)
    with refused("ResourceNotFoundException"):
        functions.get_event_source_mapping(UUID=identity)


def test_what_can_be_no_mapping_is_refused(cloud, functions, name):
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for function, source, more, code in (
        ("none", arn, {}, "ResourceNotFoundException"),
        ("log-metric", f"{arn}-not", {}, "InvalidParameterValueException"),
        ("log-metric", arn, {}, "InvalidParameterValueException"),
        ("log-metric", arn, {"BatchSize": 100}, "InvalidParameterValueException"),
        ("log-metric", "arn:aws:kinesis:us-east-1:000000000000:stream/s", {}, "InvalidParameterValueException"),
    ):
        with refused(code):
            functions.create_event_source_mapping(FunctionName=function, EventSourceArn=source, **more)


@pytest.mark.parametrize("function", ["python", "node"])
def test_a_function_finds_what_its_layer_has(functions, function):
    assert said(functions, function, {"greet": True}) == ("from the layer", None)
    [layer] = functions.get_function_configuration(FunctionName=function)["Layers"]
    assert layer["Arn"] == "arn:aws:lambda:us-east-1:000000000000:layer:shared:1"


def test_a_function_has_a_policy_and_tags(functions, made):
    with refused("ResourceNotFoundException"):
        functions.get_policy(FunctionName=made)
    source = "arn:aws:sns:us-east-1:000000000000:topic"
    allow = {"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", "SourceArn": source}
    functions.add_permission(FunctionName=made, StatementId="topic", **allow)
    with refused("ResourceConflictException"):
        functions.add_permission(FunctionName=made, StatementId="topic", **allow)
    [statement] = json.loads(functions.get_policy(FunctionName=made)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": source}}
    functions.remove_permission(FunctionName=made, StatementId="topic")
    with refused("ResourceNotFoundException"):
        functions.remove_permission(FunctionName=made, StatementId="topic")

    arn = functions.get_function_configuration(FunctionName=made)["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"stage": "test"})
    functions.untag_resource(Resource=arn, TagKeys=["team"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"stage": "test"}
    assert "CodeSigningConfigArn" not in functions.get_function_code_signing_config(FunctionName=made)


def test_a_function_that_was_made_writes_to_its_log_group(cloud, functions, made):
    logs = cloud.client("logs")
    functions.update_function_code(FunctionName=made, ZipFile=archive("def handler(event, context):\n    print('logged')\n    return context.log_stream_name\n"))
    stream, _ = said(functions, made)
    seen = logs.get_log_events(logGroupName=f"/aws/lambda/{made}", logStreamName=stream)["events"]
    assert "logged" in [line["message"] for line in seen]
