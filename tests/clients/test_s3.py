"""S3: buckets, objects, versions, uploads in parts, conditions, presigned URLs."""

import json
import urllib.request

import pytest
from conftest import refused


@pytest.fixture(scope="module")
def s3(cloud):
    return cloud.client("s3")


@pytest.fixture
def bucket(s3, name):
    s3.create_bucket(Bucket=name.lower())
    return name.lower()


def body(answer):
    return answer["Body"].read()


def test_an_object_is_put_read_copied_and_deleted(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="a/ü +.txt", Body=b"hello", ContentType="text/plain", Metadata={"by": "me"})
    got = s3.get_object(Bucket=bucket, Key="a/ü +.txt")
    assert (body(got), got["ContentType"], got["Metadata"], got["ETag"]) == (b"hello", "text/plain", {"by": "me"}, put["ETag"])
    assert body(s3.get_object(Bucket=bucket, Key="a/ü +.txt", Range="bytes=1-3")) == b"ell"
    assert s3.head_object(Bucket=bucket, Key="a/ü +.txt")["ContentLength"] == 5
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a/ü +.txt"})
    assert body(s3.get_object(Bucket=bucket, Key="b")) == b"hello"
    s3.delete_object(Bucket=bucket, Key="b")
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="b")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="b")
    with refused("NoSuchBucket"):
        s3.get_object(Bucket="nowhere-at-all", Key="b")


def test_buckets_come_and_go(s3, bucket):
    assert bucket in [listed["Name"] for listed in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=bucket)
    s3.get_bucket_location(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    s3.delete_bucket(Bucket=bucket)
    with refused("404"):
        s3.head_bucket(Bucket=bucket)


def test_a_listing_has_pages_prefixes_and_folders(s3, bucket):
    for key in ("a/1", "a/2", "b/1", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [item["Key"] for page in pages for item in page["Contents"]] == ["a/1", "a/2", "b/1", "c"]
    folders = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [folder["Prefix"] for folder in folders["CommonPrefixes"]] == ["a/", "b/"]
    assert [item["Key"] for item in folders["Contents"]] == ["c"]
    assert [item["Key"] for item in s3.list_objects(Bucket=bucket, Prefix="a/")["Contents"]] == ["a/1", "a/2"]


def test_versions_are_kept(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    s3.delete_object(Bucket=bucket, Key="k")
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="k")
    assert body(s3.get_object(Bucket=bucket, Key="k", VersionId=first)) == b"1"
    listed = s3.list_object_versions(Bucket=bucket)
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (2, 1)


def test_an_object_is_uploaded_in_parts(s3, bucket):
    size = 5 * 1024 * 1024
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    parts = []
    for number, piece in enumerate((b"x" * size, b"y"), start=1):
        tag = s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=piece)["ETag"]
        parts.append({"PartNumber": number, "ETag": tag})
    assert len(s3.list_parts(Bucket=bucket, Key="big", UploadId=upload)["Parts"]) == 2
    assert [listed["UploadId"] for listed in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == size + 1
    assert body(s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={size}-")) == b"y"
    given_up = s3.create_multipart_upload(Bucket=bucket, Key="other")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="other", UploadId=given_up)
    with refused("NoSuchUpload"):
        s3.list_parts(Bucket=bucket, Key="other", UploadId=given_up)


def test_a_write_holds_to_its_condition(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=tag)
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"4", IfMatch=tag)
    assert body(s3.get_object(Bucket=bucket, Key="k")) == b"3"


def test_a_presigned_url_is_good_for_its_request(s3, bucket):
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    urllib.request.urlopen(urllib.request.Request(put, data=b"by URL", method="PUT")).close()
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})) as answer:
        assert answer.read() == b"by URL"


def tags(answer):
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def tag_set(given):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in given.items()]}


def test_an_object_has_tags_which_its_copies_take_along(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", Tagging="stage=raw&owner=a+team")
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {"stage": "raw", "owner": "a team"}
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    source = {"Bucket": bucket, "Key": "k"}
    s3.copy_object(Bucket=bucket, Key="same", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="other", CopySource=source, TaggingDirective="REPLACE", Tagging="stage=done")
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="same")) == {"stage": "raw", "owner": "a team"}
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="other")) == {"stage": "done"}
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set({"größe": "5/6"}))
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {"größe": "5/6"}
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {}
    assert "TagCount" not in s3.get_object(Bucket=bucket, Key="k")
    with refused("InvalidTag"):
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set({"aws:k": "v"}))
    with refused("BadRequest"):
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set({str(number): "v" for number in range(11)}))
    with refused("NoSuchKey"):
        s3.get_object_tagging(Bucket=bucket, Key="nothing")


def test_a_version_has_tags_of_its_own(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", Tagging="now=2")
    s3.put_object_tagging(Bucket=bucket, Key="k", VersionId=first, Tagging=tag_set({"then": "1"}))
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="k", VersionId=first)) == {"then": "1"}
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {"now": "2"}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", Tagging="by=parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    assert tags(s3.get_object_tagging(Bucket=bucket, Key="parts")) == {"by": "parts"}


def test_a_bucket_has_tags(s3, bucket):
    with refused("NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tag_set({"cost": "centre 1"}))
    assert tags(s3.get_bucket_tagging(Bucket=bucket)) == {"cost": "centre 1"}
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)


def test_a_bucket_tells_of_its_objects(cloud, s3, bucket):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    queue = {
        "Id": "images",
        "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{bucket}",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".png"}]}},
    }
    told = {"QueueConfigurations": [queue], "EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
    got = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert {name: got[name] for name in told} == told
    for key in ("in/a.txt", "out/a.png", "in/a.png"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)["Messages"]
    [record] = json.loads(message["Body"])["Records"]
    assert (record["s3"]["configurationId"], record["s3"]["object"]["key"]) == ("images", "in/a.png")
    with refused("InvalidArgument"):
        bad = {"QueueConfigurations": [{**queue, "Events": ["s3:ObjectForgotten:*"]}]}
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=bad)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_what_is_the_same_for_all_buckets_is_told(s3, bucket):
    [grant] = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert grant["Permission"] == "FULL_CONTROL"
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    [rule] = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    for read, code in (
        (s3.get_bucket_policy, "NoSuchBucketPolicy"),
        (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
        (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
        (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
        (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
        (s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
    ):
        with refused(code):
            read(Bucket=bucket)
