"""EventBridge: events, rules, targets, input transformers."""

import json

import pytest
from conftest import eventually, refused


@pytest.fixture(scope="module")
def events(cloud):
    return cloud.client("events")


def test_an_event_goes_to_the_targets_of_the_rules_that_match(cloud, events, name):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": [name], "detail": {"size": [{"numeric": [">=", 10]}]}})
    rule = events.put_rule(Name=name, EventPattern=pattern)["RuleArn"]
    assert rule == f"arn:aws:events:us-east-1:000000000000:rule/{name}"
    transformer = {"InputPathsMap": {"size": "$.detail.size"}, "InputTemplate": '{"told": <size>}'}
    put = events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn, "InputTransformer": transformer}])
    assert put["FailedEntryCount"] == 0
    assert [target["Id"] for target in events.list_targets_by_rule(Rule=name)["Targets"]] == ["queue"]
    assert name in [listed["Name"] for listed in events.list_rules()["Rules"]]
    assert json.loads(events.describe_rule(Name=name)["EventPattern"]) == json.loads(pattern)

    entries = [{"Source": name, "DetailType": "Size", "Detail": json.dumps({"size": size})} for size in (1, 10)]
    assert events.put_events(Entries=entries)["FailedEntryCount"] == 0
    messages = eventually(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"), "the event")
    assert [json.loads(message["Body"]) for message in messages] == [{"told": 10}]

    events.disable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "DISABLED"
    events.enable_rule(Name=name)
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)
    assert name not in [listed["Name"] for listed in events.list_rules()["Rules"]]


def test_the_end_of_an_execution_is_an_event(cloud, events, name):
    sqs, sfn = cloud.client("sqs"), cloud.client("stepfunctions")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:Echo"
    pattern = {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"], "stateMachineArn": [machine]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    execution = sfn.start_execution(stateMachineArn=machine, input='{"a": 1}')["executionArn"]
    told = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the event")
    event = json.loads(told[0]["Body"])
    assert (event["detail-type"], event["detail"]["executionArn"]) == ("Step Functions Execution Status Change", execution)
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


def test_a_pattern_can_be_tried(events):
    event = {"id": "1", "detail-type": "T", "source": "s", "account": "000000000000", "time": "2026-11-21T00:00:00Z"}
    event |= {"region": "us-east-1", "resources": [], "detail": {"a": "xyz"}}
    for prefix, matches in (("x", True), ("y", False)):
        pattern = json.dumps({"detail": {"a": [{"prefix": prefix}]}})
        assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is matches


def test_rules_and_buses_have_tags(events, name):
    bus = events.create_event_bus(Name=name, Tags=[{"Key": "team", "Value": "a"}])["EventBusArn"]
    pattern = json.dumps({"source": [name]})
    rules = [
        events.put_rule(Name=name, EventBusName=bus_name, EventPattern=pattern, Tags=[{"Key": "of", "Value": bus_name}])["RuleArn"]
        for bus_name in ("default", name)
    ]
    for arn in [bus, *rules]:
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    events.untag_resource(ResourceARN=bus, TagKeys=["team"])
    # What a rule is put with once more, its tags are not.
    events.put_rule(Name=name, EventPattern=pattern, Tags=[{"Key": "late", "Value": ""}])
    tags = {arn: events.list_tags_for_resource(ResourceARN=arn)["Tags"] for arn in [bus, *rules]}
    stage = {"Key": "stage", "Value": "test"}
    assert tags[bus] == [stage]
    assert [tags[arn] for arn in rules] == [[{"Key": "of", "Value": "default"}, stage], [{"Key": "of", "Value": name}, stage]]
    with refused("ResourceNotFoundException"):
        events.list_tags_for_resource(ResourceARN=f"{rules[0]}-none")
    events.delete_rule(Name=name)
    events.delete_rule(Name=name, EventBusName=name)
    assert events.describe_event_bus(Name=name)["Arn"] == bus
    assert name in [listed["Name"] for listed in events.list_event_buses()["EventBuses"]]
    events.delete_event_bus(Name=name)
