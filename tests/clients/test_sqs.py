"""SQS: queues, visibility, FIFO, dead letters."""

import json

import pytest
from conftest import eventually, refused


@pytest.fixture(scope="module")
def sqs(cloud):
    return cloud.client("sqs")


@pytest.fixture
def queue(sqs, name):
    return sqs.create_queue(QueueName=name)["QueueUrl"]


def arn(sqs, queue):
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(sqs, queue, **more):
    return sqs.receive_message(QueueUrl=queue, **more).get("Messages", [])


def test_a_queue_is_found_listed_changed_and_deleted(sqs, queue, name):
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == queue
    assert queue in sqs.list_queues()["QueueUrls"]
    assert arn(sqs, queue) == f"arn:aws:sqs:us-east-1:000000000000:{name}"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "7"})
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert told["VisibilityTimeout"] == "7"
    sqs.tag_queue(QueueUrl=queue, Tags={"team": "blue", "stage": "test"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["stage"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"team": "blue"}
    sqs.delete_queue(QueueUrl=queue)
    with refused("AWS.SimpleQueueService.NonExistentQueue"):
        sqs.get_queue_url(QueueName=name)


def test_a_message_is_seen_by_one_receiver_until_its_time_is_over(sqs, queue):
    attributes = {"kind": {"DataType": "String", "StringValue": "note"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello", MessageAttributes=attributes)
    message = received(sqs, queue, MessageAttributeNames=["All"], AttributeNames=["All"])[0]
    assert (message["MessageId"], message["Body"], message["MessageAttributes"]) == (sent["MessageId"], "hello", attributes)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert received(sqs, queue) == []
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    again = received(sqs, queue)[0]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    assert received(sqs, queue) == []


def test_messages_go_in_batches(sqs, queue):
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(10)]
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 10
    messages = received(sqs, queue, MaxNumberOfMessages=10)
    assert sorted(message["Body"] for message in messages) == [str(number) for number in range(10)]
    handles = [{"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"]} for message in messages]
    longer = [{**handle, "VisibilityTimeout": 60} for handle in handles]
    assert len(sqs.change_message_visibility_batch(QueueUrl=queue, Entries=longer)["Successful"]) == 10
    assert len(sqs.delete_message_batch(QueueUrl=queue, Entries=handles)["Successful"]) == 10
    sqs.send_message(QueueUrl=queue, MessageBody="more")
    sqs.purge_queue(QueueUrl=queue)
    assert received(sqs, queue) == []


def test_a_fifo_queue_keeps_the_order_and_takes_a_message_once(sqs, name):
    queue = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for body, identity in (("a", "1"), ("b", "2"), ("b again", "2")):
        sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId="g", MessageDeduplicationId=identity)
    first = received(sqs, queue, MaxNumberOfMessages=1)[0]
    # The group waits for its first message.
    assert (first["Body"], received(sqs, queue)) == ("a", [])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    assert [message["Body"] for message in received(sqs, queue, MaxNumberOfMessages=10)] == ["b"]


def test_what_is_received_too_often_goes_to_the_dead_letters(sqs, queue, name):
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    policy = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": "1"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    assert len(received(sqs, queue)) == 1
    assert received(sqs, queue) == []
    letter = eventually(lambda: received(sqs, dead), "a dead letter")[0]
    assert letter["Body"] == "bad"
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]


def test_dead_letters_are_moved_back(sqs, queue, name):
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    with refused("InvalidParameterValue"):
        sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    policy = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": "1"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    assert len(received(sqs, queue)) == 1
    assert received(sqs, queue) == []
    sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    moves = lambda: sqs.list_message_move_tasks(SourceArn=arn(sqs, dead), MaxResults=10)["Results"]
    eventually(lambda: moves()[0]["Status"] == "COMPLETED", "the end of the move")
    assert moves()[0]["ApproximateNumberOfMessagesMoved"] == 1
    assert [message["Body"] for message in received(sqs, queue)] == ["bad"]

    other = sqs.create_queue(QueueName=f"{name}-other")["QueueUrl"]
    for number in range(3):
        sqs.send_message(QueueUrl=dead, MessageBody=str(number))
    slow = {"DestinationArn": arn(sqs, other), "MaxNumberOfMessagesPerSecond": 1}
    handle = sqs.start_message_move_task(SourceArn=arn(sqs, dead), **slow)["TaskHandle"]
    eventually(lambda: received(sqs, other), "the first message")
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] >= 1
    assert moves()[0]["Status"] == "CANCELLED"
    # What was sent to the dead letters themselves came from nowhere.
    sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    eventually(lambda: moves()[0]["Status"] == "FAILED", "the end of the move")
    assert moves()[0]["FailureReason"] == "CouldNotDetermineMessageSource"
