"""DynamoDB: tables, items, queries, transactions, streams."""

import pytest
from conftest import refused


@pytest.fixture(scope="module")
def dynamodb(cloud):
    return cloud.client("dynamodb")


@pytest.fixture
def table(dynamodb, name):
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("id", "part")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


def key(identity, part="1"):
    return {"id": {"S": identity}, "part": {"S": part}}


def test_a_table_is_described_listed_and_deleted(dynamodb, table):
    described = dynamodb.describe_table(TableName=table)["Table"]
    assert described["TableStatus"] == "ACTIVE" and described["TableArn"].endswith(f"000000000000:table/{table}")
    assert table in dynamodb.list_tables()["TableNames"]
    dynamodb.delete_table(TableName=table)
    with refused("ResourceNotFoundException"):
        dynamodb.describe_table(TableName=table)


def test_an_item_is_put_changed_and_deleted(dynamodb, table):
    dynamodb.put_item(TableName=table, Item={**key("a"), "n": {"N": "1"}})
    changed = dynamodb.update_item(
        TableName=table,
        Key=key("a"),
        UpdateExpression="SET n = n + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )
    assert changed["Attributes"]["n"] == {"N": "2"}
    with refused("ConditionalCheckFailedException"):
        dynamodb.put_item(TableName=table, Item=key("a"), ConditionExpression="attribute_not_exists(id)")
    assert dynamodb.get_item(TableName=table, Key=key("a"), ConsistentRead=True)["Item"]["n"] == {"N": "2"}
    dynamodb.delete_item(TableName=table, Key=key("a"))
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("a"))


def test_items_are_queried_scanned_and_handled_in_batches(dynamodb, table):
    puts = [{"PutRequest": {"Item": key("a", str(part))}} for part in range(5)]
    dynamodb.batch_write_item(RequestItems={table: puts})
    asked = {"TableName": table, "KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "a"}}}
    assert [item["part"]["S"] for item in dynamodb.query(**asked, ScanIndexForward=False)["Items"]] == list("43210")
    assert dynamodb.scan(TableName=table, Select="COUNT")["Count"] == 5
    got = dynamodb.batch_get_item(RequestItems={table: {"Keys": [key("a", "1"), key("a", "9")]}})
    assert got["Responses"][table] == [key("a", "1")]


def test_a_transaction_happens_whole_or_not_at_all(dynamodb, table):
    put = {"Put": {"TableName": table, "Item": key("b")}}
    check = {"ConditionCheck": {"TableName": table, "Key": key("c"), "ConditionExpression": "attribute_exists(id)"}}
    with refused("TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[put, check])
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("b"))
    dynamodb.transact_write_items(TransactItems=[put])
    got = dynamodb.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": key("b")}}])
    assert got["Responses"][0]["Item"] == key("b")


def test_a_stream_tells_of_changes(cloud, dynamodb, table):
    dynamodb.put_item(TableName=table, Item=key("s"))
    stream = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    streams = cloud.client("dynamodbstreams")
    assert stream in [listed["StreamArn"] for listed in streams.list_streams(TableName=table)["Streams"]]
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    start = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records = streams.get_records(ShardIterator=start)["Records"]
    assert [(record["eventName"], record["dynamodb"]["Keys"]) for record in records] == [("INSERT", key("s"))]


def test_a_table_has_no_backups(dynamodb, table):
    told = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert told["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    with refused("TableNotFoundException"):
        dynamodb.describe_continuous_backups(TableName="none")
