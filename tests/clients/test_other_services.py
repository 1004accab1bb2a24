"""STS, SSM parameters, Secrets Manager, CloudWatch Logs."""

import json

from conftest import ACCOUNT, ROOT, eventually, refused


def test_everybody_is_of_the_one_account(cloud):
    assert cloud.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_parameter_is_put_read_and_deleted(cloud, name):
    ssm = cloud.client("ssm")
    assert ssm.put_parameter(Name=f"/{name}/size", Value="1", Type="String")["Version"] == 1
    with refused("ParameterAlreadyExists"):
        ssm.put_parameter(Name=f"/{name}/size", Value="2", Type="String")
    assert ssm.put_parameter(Name=f"/{name}/size", Value="2", Type="String", Overwrite=True)["Version"] == 2
    assert ssm.get_parameter(Name=f"/{name}/size")["Parameter"]["Value"] == "2"
    assert ssm.get_parameters(Names=[f"/{name}/size", "/none"])["InvalidParameters"] == ["/none"]
    below = ssm.get_parameters_by_path(Path=f"/{name}", Recursive=True)["Parameters"]
    assert [parameter["Name"] for parameter in below] == [f"/{name}/size"]
    ssm.delete_parameter(Name=f"/{name}/size")
    with refused("ParameterNotFound"):
        ssm.get_parameter(Name=f"/{name}/size")


def test_a_secret_is_made_changed_and_read(cloud, name):
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString="old")["ARN"]
    secrets.put_secret_value(SecretId=name, SecretString="new")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "new"
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "old"
    with refused("ResourceNotFoundException"):
        secrets.get_secret_value(SecretId="none")


def test_logs_are_put_and_found(cloud, name):
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    now = 1_795_262_400_000
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(("good", "ERROR bad"))]
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=events)
    assert name in [group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]]
    assert [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]] == ["one"]
    read = logs.get_log_events(logGroupName=name, logStreamName="one", startFromHead=True)["events"]
    assert [event["message"] for event in read] == ["good", "ERROR bad"]
    found = logs.filter_log_events(logGroupName=name, filterPattern="ERROR")["events"]
    assert [event["message"] for event in found] == ["ERROR bad"]


def test_what_a_function_prints_is_in_its_log_group(cloud):
    event = (ROOT / "events/log-metric/level.json").read_bytes()
    cloud.client("lambda").invoke(FunctionName="log-metric", Payload=event)
    logs = cloud.client("logs")
    look = lambda: logs.filter_log_events(logGroupName="/aws/lambda/log-metric", filterPattern="CompleteLevel")["events"]
    assert "CompleteLevel" in eventually(look, "the function's log")[0]["message"]


def test_an_express_execution_is_logged(cloud, name):
    logs, sfn = cloud.client("logs"), cloud.client("stepfunctions")
    logs.create_log_group(logGroupName=f"/aws/vendedlogs/states/{name}")
    group = logs.describe_log_groups(logGroupNamePrefix=f"/aws/vendedlogs/states/{name}")["logGroups"][0]["arn"]
    destination = {"cloudWatchLogsLogGroup": {"logGroupArn": group if group.endswith(":*") else f"{group}:*"}}
    machine = sfn.create_state_machine(
        name=name,
        type="EXPRESS",
        definition=json.dumps({"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/test",
        loggingConfiguration={"level": "ALL", "includeExecutionData": True, "destinations": [destination]},
    )["stateMachineArn"]
    sfn.start_sync_execution(stateMachineArn=machine, input='{"a": 1}')

    def look():
        found = logs.filter_log_events(logGroupName=f"/aws/vendedlogs/states/{name}")["events"]
        return [json.loads(event["message"])["type"] for event in found] if len(found) == 4 else None

    types = eventually(look, "four events")
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


def test_parameters_have_versions_and_are_found(cloud, name):
    ssm = cloud.client("ssm")
    tags = [{"Key": "team", "Value": name}]
    ssm.put_parameter(Name=f"/{name}/a/size", Value="1", Type="String", Description="how large", Tags=tags)
    ssm.put_parameter(Name=f"/{name}/a/size", Value="2", Overwrite=True)
    ssm.put_parameter(Name=f"/{name}/secret", Value="s", Type="SecureString")
    history = ssm.get_parameter_history(Name=f"/{name}/a/size", MaxResults=1)
    assert [(one["Version"], one["Value"]) for one in history["Parameters"]] == [(1, "1")]
    history = ssm.get_parameter_history(Name=f"/{name}/a/size", NextToken=history["NextToken"])
    assert [(one["Version"], one["Value"]) for one in history["Parameters"]] == [(2, "2")]
    assert ssm.get_parameter(Name=f"/{name}/a/size:1")["Parameter"]["Value"] == "1"
    with refused("ParameterVersionNotFound"):
        ssm.get_parameter(Name=f"/{name}/a/size:3")
    with refused("ValidationException"):
        ssm.put_parameter(Name=f"/{name}/a/size", Value="3", Overwrite=True, Tags=tags)
    with refused("ValidationException"):
        ssm.put_parameter(Name=f"/{name}/long", Value="x" * 4097, Type="String")
    assert ssm.put_parameter(Name=f"/{name}/long", Value="x" * 4097, Type="String", Tier="Intelligent-Tiering")["Tier"] == "Advanced"

    def found(*filters):
        pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=list(filters), PaginationConfig={"PageSize": 1})
        return [parameter["Name"] for page in pages for parameter in page["Parameters"]]

    here = {"Key": "Name", "Option": "BeginsWith", "Values": [f"/{name}/"]}
    assert found(here) == [f"/{name}/a/size", f"/{name}/long", f"/{name}/secret"]
    assert found({"Key": "Name", "Values": [f"/{name}/a/size"]}) == [f"/{name}/a/size"]
    assert found(here, {"Key": "Type", "Values": ["SecureString"]}) == [f"/{name}/secret"]
    assert found(here, {"Key": "Tier", "Values": ["Advanced"]}) == [f"/{name}/long"]
    assert found({"Key": "Path", "Option": "OneLevel", "Values": [f"/{name}"]}) == [f"/{name}/long", f"/{name}/secret"]
    assert found({"Key": "tag:team", "Values": [name]}) == [f"/{name}/a/size"]
    with refused("InvalidFilterKey"):
        found({"Key": "Colour", "Values": ["red"]})
    with refused("InvalidFilterOption"):
        found({"Key": "Type", "Option": "Contains", "Values": ["String"]})

    of_size = {"ResourceType": "Parameter", "ResourceId": f"/{name}/a/size"}
    ssm.add_tags_to_resource(**of_size, Tags=[{"Key": "stage", "Value": "test"}])
    ssm.remove_tags_from_resource(**of_size, TagKeys=["team"])
    assert ssm.list_tags_for_resource(**of_size)["TagList"] == [{"Key": "stage", "Value": "test"}]
    with refused("InvalidResourceId"):
        ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="none")
    ssm.delete_parameters(Names=[f"/{name}/long", f"/{name}/secret"])


def test_a_secret_has_versions_and_tags(cloud, name):
    secrets = cloud.client("secretsmanager")
    made = secrets.create_secret(Name=name, SecretString="old", Tags=[{"Key": "team", "Value": "a"}], Description="a word")
    new = secrets.update_secret(SecretId=name, SecretString="new")["VersionId"]
    versions = secrets.list_secret_version_ids(SecretId=name)
    assert (versions["ARN"], versions["Name"]) == (made["ARN"], name)
    stages = {version["VersionId"]: version["VersionStages"] for version in versions["Versions"]}
    assert stages == {new: ["AWSCURRENT"], made["VersionId"]: ["AWSPREVIOUS"]}
    first = secrets.list_secret_version_ids(SecretId=name, MaxResults=1)
    rest = secrets.list_secret_version_ids(SecretId=name, NextToken=first["NextToken"])
    assert [version["VersionId"] for version in rest["Versions"]] == [made["VersionId"]]
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)
    secrets.tag_resource(SecretId=name, Tags=[{"Key": "stage", "Value": "test"}])
    secrets.untag_resource(SecretId=made["ARN"], TagKeys=["team"])
    told = secrets.describe_secret(SecretId=name)
    assert (told["Tags"], told["Description"]) == ([{"Key": "stage", "Value": "test"}], "a word")
    listed = [secret for secret in secrets.list_secrets()["SecretList"] if secret["Name"] == name]
    assert listed[0]["Tags"] == told["Tags"]
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    with refused("ResourceNotFoundException"):
        secrets.list_secret_version_ids(SecretId=name)


def test_a_log_group_has_tags(cloud, name):
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=name, tags={"team": "a"})
    arn = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"stage": "test"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "test"}
    with refused("TooManyTagsException"):
        logs.tag_resource(resourceArn=arn, tags={str(number): "" for number in range(50)})
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    logs.delete_log_group(logGroupName=name)
    with refused("ResourceNotFoundException"):
        logs.list_tags_for_resource(resourceArn=arn)
