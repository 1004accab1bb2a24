"""Lambda: a function of the template."""

import base64
import json

import pytest
from conftest import ROOT, eventually, refused


@pytest.fixture(scope="module")
def functions(cloud):
    return cloud.client("lambda")


def event():
    return (ROOT / "events/log-metric/level.json").read_bytes()


def test_a_function_is_invoked(cloud, functions):
    answer = functions.invoke(FunctionName="log-metric", Payload=event(), LogType="Tail")
    assert (answer["StatusCode"], "FunctionError" in answer) == (200, False)
    assert json.loads(answer["Payload"].read())["namespace"] == "TEST"
    assert b"RequestId" in base64.b64decode(answer["LogResult"]) or b"requestId" in base64.b64decode(answer["LogResult"])
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
    assert [listed["FunctionName"] for listed in functions.list_functions()["Functions"]] == ["log-metric"]
