"""SNS: topics, subscriptions, filters, raw delivery."""

import json

import pytest
from conftest import eventually, refused


@pytest.fixture(scope="module")
def sns(cloud):
    return cloud.client("sns")


@pytest.fixture(scope="module")
def sqs(cloud):
    return cloud.client("sqs")


@pytest.fixture
def topic(sns, name):
    return sns.create_topic(Name=name)["TopicArn"]


def queue_with_arn(sqs, name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def delivered(sqs, url):
    def look():
        return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages")

    return eventually(look, "a message")


def test_a_topic_is_listed_described_changed_and_deleted(sns, topic, name):
    assert topic == f"arn:aws:sns:us-east-1:000000000000:{name}"
    assert topic in [listed["TopicArn"] for listed in sns.list_topics()["Topics"]]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="shown")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "shown"
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "team", "Value": "blue"}])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "team", "Value": "blue"}]
    sns.untag_resource(ResourceArn=topic, TagKeys=["team"])
    sns.delete_topic(TopicArn=topic)
    with refused("NotFound"):
        sns.publish(TopicArn=topic, Message="nobody hears")


def test_a_message_goes_to_queues_in_its_envelope_or_raw(sns, sqs, topic, name):
    wrapped, wrapped_arn = queue_with_arn(sqs, f"{name}-wrapped")
    raw, raw_arn = queue_with_arn(sqs, f"{name}-raw")
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=wrapped_arn, ReturnSubscriptionArn=True)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=raw_arn, Attributes={"RawMessageDelivery": "true"})
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 2
    attributes = {"kind": {"DataType": "String", "StringValue": "note"}}
    sent = sns.publish(TopicArn=topic, Message="hello", Subject="Hi", MessageAttributes=attributes)
    envelope = json.loads(delivered(sqs, wrapped)[0]["Body"])
    told = [envelope[field] for field in ("Type", "MessageId", "TopicArn", "Subject", "Message")]
    assert told == ["Notification", sent["MessageId"], topic, "Hi", "hello"]
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "note"}}
    assert delivered(sqs, raw)[0]["Body"] == "hello"
    arn = subscription["SubscriptionArn"]
    assert arn in [listed["SubscriptionArn"] for listed in sns.list_subscriptions()["Subscriptions"]]
    sns.unsubscribe(SubscriptionArn=arn)
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1


def test_a_filter_lets_through_what_it_names(sns, sqs, topic, name):
    url, arn = queue_with_arn(sqs, name)
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
    for attribute, value in (("FilterPolicy", json.dumps({"size": [{"numeric": [">", 10]}]})), ("RawMessageDelivery", "true")):
        sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=attribute, AttributeValue=value)
    assert "FilterPolicy" in sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    entries = [
        {"Id": size, "Message": size, "MessageAttributes": {"size": {"DataType": "Number", "StringValue": size}}}
        for size in ("5", "50")
    ]
    assert len(sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)["Successful"]) == 2
    assert [message["Body"] for message in delivered(sqs, url)] == ["50"]
