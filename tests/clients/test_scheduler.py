"""EventBridge Scheduler: schedules, groups, what they start."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from conftest import ACCOUNT, REGION, eventually, refused

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def scheduler(cloud):
    return cloud.client("scheduler")


@pytest.fixture
def queue(cloud, name):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    received = lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10).get("Messages", [])
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", received


def once(seconds=1):
    at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return f"at({at:%Y-%m-%dT%H:%M:%S})"


def test_a_schedule_is_made_told_changed_and_deleted(scheduler, queue, name):
    target = {"Arn": queue[0], "RoleArn": ROLE, "Input": "{}", "RetryPolicy": {"MaximumRetryAttempts": 3}}
    made = scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target, Description="daily"
    )
    assert made["ScheduleArn"] == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}"
    told = scheduler.get_schedule(Name=name)
    assert (told["State"], told["Description"], told["Target"]) == ("ENABLED", "daily", target)
    with refused("ConflictException"):
        scheduler.create_schedule(Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target)
    changed = {"ScheduleExpression": "cron(0 12 * * ? *)", "ScheduleExpressionTimezone": "Europe/Berlin", "State": "DISABLED"}
    scheduler.update_schedule(Name=name, FlexibleTimeWindow=OFF, Target=target, **changed)
    told = scheduler.get_schedule(Name=name)
    assert {key: told[key] for key in changed} == changed
    assert "Description" not in told
    listed = scheduler.list_schedules(NamePrefix=name, State="DISABLED")["Schedules"]
    assert [(one["Name"], one["GroupName"], one["Target"]) for one in listed] == [(name, "default", {"Arn": queue[0]})]
    scheduler.delete_schedule(Name=name)
    with refused("ResourceNotFoundException"):
        scheduler.get_schedule(Name=name)


def test_what_can_be_no_schedule_is_refused(scheduler, queue, name):
    good = {"Name": name, "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": OFF, "Target": {"Arn": queue[0], "RoleArn": ROLE}}
    for bad in (
        {"ScheduleExpression": "rate(1 days)"},
        {"ScheduleExpressionTimezone": "Mars/Olympus"},
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
        {"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "RoleArn": ROLE}},
        {"StartDate": datetime(2030, 1, 2), "EndDate": datetime(2030, 1, 1)},
    ):
        with refused("ValidationException"):
            scheduler.create_schedule(**{**good, **bad})
    with refused("ResourceNotFoundException"):
        scheduler.create_schedule(**good, GroupName="nowhere")


def test_a_schedule_fires_once_and_is_gone_when_it_wants(scheduler, queue, name):
    target = {"Arn": queue[0], "RoleArn": ROLE, "Input": json.dumps({"a": 1})}
    scheduler.create_schedule(
        Name=name, ScheduleExpression=once(), FlexibleTimeWindow=OFF, Target=target, ActionAfterCompletion="DELETE"
    )
    message = eventually(queue[1], "the message")[0]
    assert json.loads(message["Body"]) == {"a": 1}

    def gone():
        return name not in [one["Name"] for one in scheduler.list_schedules()["Schedules"]]

    eventually(gone, "the end of the schedule")


def test_a_schedule_starts_executions_and_sends_events(cloud, scheduler, queue, name):
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Echo"
    scheduler.create_schedule(
        Name=f"{name}-start", ScheduleExpression=once(), FlexibleTimeWindow=OFF, Target={"Arn": machine, "RoleArn": ROLE}
    )
    states = cloud.client("stepfunctions")

    def inputs():
        listed = states.list_executions(stateMachineArn=machine)["executions"]
        return [states.describe_execution(executionArn=one["executionArn"])["input"] for one in listed]

    eventually(lambda: any("aws.scheduler" in text for text in inputs()), "the execution")

    events = cloud.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue[0]}])
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    parameters = {"DetailType": "tick", "Source": name}
    target = {"Arn": bus, "RoleArn": ROLE, "Input": json.dumps({"n": 1}), "EventBridgeParameters": parameters}
    scheduler.create_schedule(Name=f"{name}-event", ScheduleExpression=once(), FlexibleTimeWindow=OFF, Target=target)
    event = json.loads(eventually(queue[1], "the event")[0]["Body"])
    assert (event["detail-type"], event["detail"]) == ("tick", {"n": 1})


def test_a_group_goes_with_its_schedules(scheduler, queue, name):
    scheduler.create_schedule_group(Name=name)
    assert scheduler.get_schedule_group(Name=name)["State"] == "ACTIVE"
    assert name in [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]]
    target = {"Arn": queue[0], "RoleArn": ROLE}
    scheduler.create_schedule(
        Name="in", GroupName=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target
    )
    assert [one["Name"] for one in scheduler.list_schedules(GroupName=name)["Schedules"]] == ["in"]
    with refused("ResourceNotFoundException"):
        scheduler.get_schedule(Name="in")
    scheduler.delete_schedule_group(Name=name)
    with refused("ResourceNotFoundException"):
        scheduler.get_schedule(Name="in", GroupName=name)


def test_groups_have_tags(scheduler, name):
    arn = scheduler.create_schedule_group(Name=name, Tags=[{"Key": "team", "Value": "a"}])["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}, {"Key": "more", "Value": "b c"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["team", "more"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    with refused("ValidationException"):
        scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "aws:own", "Value": "a"}])
    scheduler.delete_schedule_group(Name=name)
    with refused("ResourceNotFoundException"):
        scheduler.list_tags_for_resource(ResourceArn=arn)
