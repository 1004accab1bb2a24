//! Requests that somebody made up, for every front end: each gets an answer that its client can read, and nothing panics.
//!
//! The fuzz targets in `fuzz/` do the same with what a fuzzer makes up. `PROPTEST_CASES=10000 cargo test -p cloud --test
//! any_request` looks further.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

#[expect(unreachable_pub, reason = "the targets see it as a module of their own")]
#[path = "../../../fuzz/src/requests.rs"]
mod requests;

use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, FileFailurePersistence},
};
use requests::{FrontEnd, request};

/// Requests that are good, of all services: target and body.
const GOOD: &[(&str, &str)] = &[
    (
        "AWSStepFunctions.CreateStateMachine",
        r#"{"name":"m","roleArn":"arn:aws:iam::000000000000:role/r","definition":"{\"StartAt\":\"P\",\"States\":{\"P\":{\"Type\":\"Pass\",\"End\":true}}}"}"#,
    ),
    ("AWSStepFunctions.ValidateStateMachineDefinition", r#"{"definition":"{}","maxResults":5}"#),
    (
        "AWSStepFunctions.TestState",
        r#"{"definition":"{\"Type\":\"Pass\",\"End\":true}","input":"{}","inspectionLevel":"DEBUG"}"#,
    ),
    (
        "AWSStepFunctions.StartExecution",
        r#"{"stateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:Standard","name":"e","input":"{}"}"#,
    ),
    (
        "AWSStepFunctions.StartSyncExecution",
        r#"{"stateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:Express","input":"[]"}"#,
    ),
    (
        "AWSStepFunctions.ListExecutions",
        r#"{"stateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:Standard","maxResults":1,"nextToken":"MQ"}"#,
    ),
    (
        "AWSStepFunctions.GetExecutionHistory",
        r#"{"executionArn":"arn:aws:states:us-east-1:000000000000:execution:Standard:e","reverseOrder":true}"#,
    ),
    ("AWSStepFunctions.SendTaskSuccess", r#"{"taskToken":"x","output":"{}"}"#),
    (
        "AWSStepFunctions.CreateStateMachineAlias",
        r#"{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"arn:aws:states:us-east-1:000000000000:stateMachine:Standard:1","weight":100}]}"#,
    ),
    (
        "DynamoDB_20120810.CreateTable",
        r#"{"TableName":"T","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}]}"#,
    ),
    (
        "DynamoDB_20120810.PutItem",
        r#"{"TableName":"T","Item":{"k":{"S":"1"},"n":{"N":"1.5"},"b":{"B":"AAA="},"l":{"L":[{"NULL":true}]}}}"#,
    ),
    (
        "DynamoDB_20120810.Query",
        r#"{"TableName":"T","KeyConditionExpression":"k = :k","ExpressionAttributeValues":{":k":{"S":"1"}},"Limit":1}"#,
    ),
    (
        "DynamoDB_20120810.UpdateItem",
        r#"{"TableName":"T","Key":{"k":{"S":"1"}},"UpdateExpression":"SET n = if_not_exists(n, :n) + :n REMOVE b","ExpressionAttributeValues":{":n":{"N":"1"}}}"#,
    ),
    (
        "DynamoDB_20120810.TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"T","Item":{"k":{"S":"2"}},"ConditionExpression":"attribute_not_exists(k)"}}]}"#,
    ),
    (
        "GraniteServiceVersion20100801.PutMetricData",
        r#"{"Namespace":"N","MetricData":[{"MetricName":"m","Value":1.5,"Unit":"Count","Dimensions":[{"Name":"d","Value":"v"}]}]}"#,
    ),
    (
        "GraniteServiceVersion20100801.GetMetricStatistics",
        r#"{"Namespace":"N","MetricName":"m","StartTime":0,"EndTime":1,"Period":60,"Statistics":["Sum"]}"#,
    ),
    (
        "AmazonSQS.CreateQueue",
        r#"{"QueueName":"q.fifo","Attributes":{"FifoQueue":"true","VisibilityTimeout":"5"},"tags":{"a":"b"}}"#,
    ),
    (
        "AmazonSQS.SendMessage",
        r#"{"QueueUrl":"http://h/0/work","MessageBody":"b","DelaySeconds":0,"MessageAttributes":{"a":{"DataType":"Number","StringValue":"1"}}}"#,
    ),
    (
        "AmazonSQS.SendMessageBatch",
        r#"{"QueueUrl":"http://h/0/work","Entries":[{"Id":"1","MessageBody":"a"},{"Id":"2","MessageBody":"b"}]}"#,
    ),
    (
        "AmazonSQS.ReceiveMessage",
        r#"{"QueueUrl":"http://h/0/work","MaxNumberOfMessages":10,"WaitTimeSeconds":1,"VisibilityTimeout":0,"AttributeNames":["All"]}"#,
    ),
    (
        "AmazonSQS.ChangeMessageVisibility",
        r#"{"QueueUrl":"http://h/0/work","ReceiptHandle":"x","VisibilityTimeout":1}"#,
    ),
    ("AWSEvents.PutRule", r#"{"Name":"r","EventPattern":"{\"source\":[{\"prefix\":\"a\"}]}","State":"ENABLED"}"#),
    ("AWSEvents.PutRule", r#"{"Name":"s","ScheduleExpression":"cron(0 12 * * ? *)"}"#),
    (
        "AWSEvents.PutTargets",
        r#"{"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:us-east-1:000000000000:work","InputTransformer":{"InputPathsMap":{"a":"$.detail.a"},"InputTemplate":"\"<a>\""}}]}"#,
    ),
    ("AWSEvents.PutEvents", r#"{"Entries":[{"Source":"a","DetailType":"d","Detail":"{\"a\":1}","Time":1}]}"#),
    ("AWSEvents.TestEventPattern", r#"{"EventPattern":"{\"a\":[{\"numeric\":[\">\",1]}]}","Event":"{\"a\":2}"}"#),
    ("AmazonSimpleNotificationService.CreateTopic", r#"{"Name":"t","Attributes":{"DisplayName":"d"}}"#),
    (
        "AmazonSimpleNotificationService.Publish",
        r#"{"TopicArn":"arn:aws:sns:us-east-1:000000000000:t","Message":"m","MessageStructure":"json"}"#,
    ),
    (
        "AmazonSimpleNotificationService.Subscribe",
        r#"{"TopicArn":"arn:aws:sns:us-east-1:000000000000:t","Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:000000000000:work","Attributes":{"FilterPolicy":"{\"a\":[\"b\"]}"}}"#,
    ),
    (
        "Logs_20140328.PutLogEvents",
        r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}"#,
    ),
    ("Logs_20140328.FilterLogEvents", r#"{"logGroupName":"g","filterPattern":"{ $.a = 1 }","limit":1}"#),
    ("AmazonSSM.PutParameter", r#"{"Name":"/a/b","Value":"v","Type":"SecureString","Overwrite":true}"#),
    ("AmazonSSM.GetParametersByPath", r#"{"Path":"/a","Recursive":true,"MaxResults":1}"#),
    ("secretsmanager.CreateSecret", r#"{"Name":"s","SecretString":"v"}"#),
    ("secretsmanager.GetSecretValue", r#"{"SecretId":"s","VersionStage":"AWSCURRENT"}"#),
    ("TrentService.Encrypt", "{}"),
    ("Nobody.Knows", "{}"),
    ("", "{}"),
];

/// Names of parameters, of all services.
const NAMES: &[&str] = &[
    "stateMachineArn",
    "executionArn",
    "definition",
    "name",
    "roleArn",
    "input",
    "maxResults",
    "nextToken",
    "taskToken",
    "output",
    "TableName",
    "Key",
    "Item",
    "KeySchema",
    "AttributeDefinitions",
    "KeyConditionExpression",
    "ExpressionAttributeValues",
    "QueueName",
    "QueueUrl",
    "Attributes",
    "MessageBody",
    "MaxNumberOfMessages",
    "WaitTimeSeconds",
    "ReceiptHandle",
    "Entries",
    "Name",
    "EventPattern",
    "ScheduleExpression",
    "Rule",
    "Targets",
    "Id",
    "Arn",
    "Source",
    "DetailType",
    "Detail",
    "TopicArn",
    "Message",
    "Protocol",
    "Endpoint",
    "logGroupName",
    "logStreamName",
    "filterPattern",
    "Namespace",
    "MetricData",
    "Path",
    "Value",
    "Type",
    "SecretId",
];

/// Texts that mean something somewhere.
const TEXTS: &[&str] = &[
    "",
    "a",
    "kept",
    "work",
    "http://127.0.0.1:4566/000000000000/work",
    "arn:aws:states:us-east-1:000000000000:stateMachine:Standard",
    "arn:aws:states:us-east-1:000000000000:stateMachine:Express",
    "arn:aws:sqs:us-east-1:000000000000:work",
    "arn:aws:lambda:us-east-1:000000000000:function:F",
    "arn:::::",
    "{}",
    "{\"a\":[{\"prefix\":\"x\"}]}",
    "{\"StartAt\":\"P\",\"States\":{\"P\":{\"Type\":\"Pass\",\"End\":true}}}",
    "{",
    "rate(1 minute)",
    "cron(0 0 ? * 1 *)",
    "at(2030-01-01T00:00:00)",
    "2030-01-01T00:00:00Z",
    "S",
    "N",
    "HASH",
    "sqs",
    "true",
    "-1",
    "99999999999999999999",
    "é\u{0}\u{202e}",
    "../../etc/passwd",
];

/// What the lines of requests with a path are made of.
const PIECES: &[&str] = &[
    "kept",
    "nothing",
    "/",
    "k",
    "a%20b",
    "%",
    "%FF",
    "..",
    "?",
    "&",
    "=",
    "list-type=2",
    "prefix=",
    "delimiter=/",
    "max-keys=-1",
    "max-keys=2",
    "continuation-token=x",
    "versions",
    "versionId=null",
    "uploads",
    "uploadId=0",
    "partNumber=1",
    "tagging",
    "versioning",
    "delete",
    "location",
    "acl",
    "functions",
    "functions/F/invocations",
    "functions/F/configuration",
    "event-source-mappings",
    "MaxItems=0",
    "Qualifier=x",
    "start/x",
    "start/",
    "%2F",
    "é",
];

/// Headers, whole.
const HEADERS: &[&str] = &[
    "range: bytes=0-1",
    "range: bytes=5-2",
    "range: x",
    "if-match: *",
    "if-none-match: \"0\"",
    "if-modified-since: yesterday",
    "x-amz-copy-source: /kept/k",
    "x-amz-copy-source: %",
    "x-amz-tagging: a=1&a=2",
    "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "x-amz-decoded-content-length: 5",
    "x-amz-checksum-crc32: AAAA",
    "x-amz-checksum-sha256: ====",
    "content-md5: x",
    "content-length: 3",
    "content-type: multipart/form-data; boundary=x",
    "content-type: application/xml",
    "content-encoding: aws-chunked",
    "authorization: AWS4-HMAC-SHA256 Credential=a/b/c/s3/d, SignedHeaders=host, Signature=0",
    "authorization: AWS4-HMAC-SHA256 Credential=a/b/c/lambda/d",
    "authorization: AWS4-HMAC-SHA256 Credential=////",
    "x-amz-invocation-type: Event",
    "x-amz-client-context: e30=",
    "x-amz-log-type: Tail",
    "host: kept.s3.localhost",
    "host: ",
    "expect: 100-continue",
];

/// Bodies, or the beginnings of such.
const BODIES: &[&[u8]] = &[
    b"",
    b"{}",
    b"[",
    b"null",
    b"hello",
    b"5;chunk-signature=0\r\nhello\r\n0;chunk-signature=0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"<Delete><Object><Key>k</Key></Object></Delete>",
    b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    b"<a><b></a>",
    b"\xff\xfe\x00",
    b"\xa1\x69Namespace\x61a",
    b"\xbf\xff",
    b"\x9f\x9f\x9f",
];

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        5 => select(TEXTS).prop_map(serde_json::Value::from),
        1 => any::<i64>().prop_map(serde_json::Value::from),
        1 => (-2..20).prop_map(serde_json::Value::from),
        1 => any::<bool>().prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            3 => object(inner),
        ]
    })
}

fn object(values: impl Strategy<Value = serde_json::Value> + 'static) -> impl Strategy<Value = serde_json::Value> {
    let fields = vec((select(NAMES), values), 0..5);
    fields.prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => object(json()).prop_map(|value| value.to_string().into_bytes()),
        4 => select(BODIES).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..40),
    ]
}

/// A good request, with a few of its values replaced, or some more.
fn call() -> impl Strategy<Value = (String, Vec<u8>)> {
    let changes = vec((any::<prop::sample::Index>(), prop::option::weighted(0.2, select(NAMES)), json()), 0..3);
    (select(GOOD), changes).prop_map(|((target, body), changes)| {
        let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
        for (place, name, value) in changes {
            let mut places = Vec::new();
            collect(&mut body, &mut places);
            let place = place.index(places.len());
            *places.swap_remove(place) = value;
            if let (Some(name), serde_json::Value::Object(fields)) = (name, &mut body) {
                fields.insert(name.to_owned(), serde_json::Value::Null);
            }
        }
        (target.to_owned(), body.to_string().into_bytes())
    })
}

/// The values of a document that have none in them.
fn collect<'v>(value: &'v mut serde_json::Value, places: &mut Vec<&'v mut serde_json::Value>) {
    let has_values = match value {
        serde_json::Value::Object(fields) => !fields.is_empty(),
        serde_json::Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if !has_values {
        return places.push(value);
    }
    match value {
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|value| collect(value, places)),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| collect(item, places)),
        _ => {}
    }
}

/// A form with dotted names.
fn form() -> impl Strategy<Value = String> {
    let version = select(&["2010-08-01", "2012-11-05", "2010-03-31", "2011-06-15", "1"][..]);
    let name =
        vec(prop_oneof![select(NAMES), select(&["member", "entry", "1", "2", "0", "Attribute", "Tag", ""][..])], 1..10);
    let pair =
        (name, select(TEXTS)).prop_map(|(name, value)| format!("{}={}", name.join("."), value.replace('&', "%26")));
    (select(GOOD), version, vec(pair, 0..6)).prop_map(|((target, _), version, pairs)| {
        let operation = target.rsplit('.').next().unwrap();
        format!("Action={operation}&Version={version}&{}", pairs.join("&"))
    })
}

fn path() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..7).prop_map(|pieces| pieces.concat())
}

/// A method and a path, and headers.
fn lines() -> impl Strategy<Value = String> {
    let method = select(&["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"][..]);
    let headers = vec(select(HEADERS), 0..4);
    (method, path(), headers).prop_map(|(method, path, headers)| format!("{method} {path}\n{}", headers.join("\n")))
}

fn rpc() -> impl Strategy<Value = String> {
    select(GOOD).prop_map(|(target, _)| target.replacen('.', "/operation/", 1))
}

fn config() -> Config {
    let file = FileFailurePersistence::WithSource("proptest-regressions");
    Config { failure_persistence: Some(Box::new(file)), ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn in_json((target, body) in call()) {
        request(FrontEnd::Json, &target, &body);
    }

    #[test]
    fn in_what_is_no_json(target in select(GOOD), body in body()) {
        request(FrontEnd::Json, target.0, &body);
    }

    #[test]
    fn in_a_form(form in form()) {
        request(FrontEnd::Query, &form, b"");
    }

    #[test]
    fn of_s3(lines in lines(), body in body()) {
        request(FrontEnd::S3, &lines, &body);
    }

    #[test]
    fn with_a_signature_in_the_address(path in path(), body in body()) {
        request(FrontEnd::Presigned, &path, &body);
    }

    #[test]
    fn of_lambda(lines in lines(), body in body()) {
        request(FrontEnd::Lambda, &lines, &body);
    }

    #[test]
    fn of_an_api(lines in lines(), body in body()) {
        request(FrontEnd::Api, &lines, &body);
    }

    #[test]
    fn in_cbor(operation in rpc(), body in body()) {
        request(FrontEnd::Rpc, &operation, &body);
    }
}
