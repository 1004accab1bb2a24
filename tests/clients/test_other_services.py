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
