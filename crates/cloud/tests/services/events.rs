//! Rules, schedules, and what buckets tell.

use std::collections::BTreeMap;

use cloud::local::LocalCloud;
use sam::{Application, Bucket, BucketNotification, EventRule, EventSource, RuleTarget, Schedule, Target, TargetInput};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::format_description};

use crate::support::{Client, arn, cloud, cloud_in, next_body, queue, send};

fn client(cloud: &LocalCloud) -> Client<'_> {
    Client { cloud, target: "AWSEvents" }
}

fn to_queue(name: &str, input: TargetInput) -> RuleTarget {
    RuleTarget {
        id: name.to_owned(),
        target: Target::Queue(arn("sqs", name)),
        input,
        message_group_id: None,
        dead_letters: Some(Target::Queue(arn("sqs", "dead"))),
    }
}

async fn put_event(cloud: &LocalCloud, detail: Value) {
    let entry = json!({ "Source": "shop", "DetailType": "Order", "Detail": detail.to_string() });
    assert_eq!(client(cloud).call("PutEvents", json!({ "Entries": [entry] })).await["FailedEntryCount"], 0);
}

#[tokio::test]
async fn a_rule_of_the_template_gives_each_target_what_it_wants() {
    let transformed = TargetInput::Transformed {
        paths: BTreeMap::from([("id".to_owned(), "$.detail.id".to_owned())]),
        template: r#"{"order": <id>, "by": <aws.events.rule-name>}"#.to_owned(),
    };
    let rule = EventRule {
        name: "orders".to_owned(),
        bus: "default".to_owned(),
        source: EventSource::Pattern(json!({ "detail-type": ["Order"] })),
        targets: vec![
            to_queue("whole", TargetInput::Event),
            to_queue("part", TargetInput::Path("$.detail".to_owned())),
            to_queue("made", transformed),
            to_queue("absent", TargetInput::Constant(json!("lost"))),
        ],
        enabled: true,
    };
    let queues = ["whole", "part", "made", "dead"].map(|name| queue(name, &[])).to_vec();
    let cloud = cloud(&Application { queues, rules: vec![rule], ..Application::default() }).await;
    put_event(&cloud, json!({ "id": 7 })).await;
    let whole: Value = serde_json::from_str(&next_body(&cloud, "whole").await).unwrap();
    assert_eq!((&whole["source"], &whole["detail"]), (&json!("shop"), &json!({ "id": 7 })));
    assert_eq!(next_body(&cloud, "part").await, r#"{"id":7}"#);
    assert_eq!(next_body(&cloud, "made").await, r#"{"order": 7, "by": "orders"}"#);
    assert_eq!(next_body(&cloud, "dead").await, r#""lost""#);
    let described = client(&cloud).call("ListTargetsByRule", json!({ "Rule": "orders" })).await;
    let part = json!({
        "Id": "part",
        "Arn": arn("sqs", "part"),
        "InputPath": "$.detail",
        "DeadLetterConfig": { "Arn": arn("sqs", "dead") },
    });
    assert!(described["Targets"].as_array().unwrap().contains(&part), "{described}");
    cloud.shutdown().await;
}

#[tokio::test]
async fn rules_and_buses_are_made_by_the_api_and_outlive_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let application = Application { queues: vec![queue("work", &[])], ..Application::default() };
    let cloud = cloud_in(folder.path(), &application).await;
    let events = client(&cloud);
    events.call("CreateEventBus", json!({ "Name": "shop" })).await;
    let pattern = json!({ "detail": { "id": [{ "exists": true }] } }).to_string();
    let made = events.call("PutRule", json!({ "Name": "all", "EventBusName": "shop", "EventPattern": pattern })).await;
    assert_eq!(made["RuleArn"], arn("events", "rule/shop/all"));
    let target = json!({ "Id": "1", "Arn": arn("sqs", "work"), "InputPath": "$.detail" });
    events.call("PutTargets", json!({ "Rule": "all", "EventBusName": "shop", "Targets": [target] })).await;
    // From the default bus to the other.
    events.call("PutRule", json!({ "Name": "on", "EventPattern": json!({ "source": ["shop"] }).to_string() })).await;
    let target = json!({ "Id": "1", "Arn": arn("events", "event-bus/shop") });
    events.call("PutTargets", json!({ "Rule": "on", "Targets": [target] })).await;
    cloud.shutdown().await;

    let cloud = cloud_in(folder.path(), &application).await;
    let events = client(&cloud);
    put_event(&cloud, json!({ "id": 1 })).await;
    assert_eq!(next_body(&cloud, "work").await, r#"{"id":1}"#);
    let names = json!({ "TargetArn": arn("sqs", "work"), "EventBusName": "shop" });
    assert_eq!(events.call("ListRuleNamesByTarget", names).await, json!({ "RuleNames": ["all"] }));
    events.call("DisableRule", json!({ "Name": "on" })).await;
    let rules = events.call("ListRules", json!({})).await;
    assert_eq!((&rules["Rules"][0]["Name"], &rules["Rules"][0]["State"]), (&json!("on"), &json!("DISABLED")));
    put_event(&cloud, json!({ "id": 2 })).await;
    events.call("EnableRule", json!({ "Name": "on" })).await;
    put_event(&cloud, json!({ "id": 3 })).await;
    assert_eq!(next_body(&cloud, "work").await, r#"{"id":3}"#);
    for (operation, parameters, code) in [
        ("DescribeRule", json!({ "Name": "none" }), "ResourceNotFoundException"),
        ("PutRule", json!({ "Name": "x", "EventPattern": "{\"a\":1}" }), "InvalidEventPatternException"),
        ("PutRule", json!({ "Name": "x", "ScheduleExpression": "rate(1 minutes)" }), "ValidationException"),
        ("PutRule", json!({ "Name": "x" }), "ValidationException"),
        ("DeleteRule", json!({ "Name": "on" }), "ValidationException"),
        ("CreateEventBus", json!({ "Name": "shop" }), "ResourceAlreadyExistsException"),
        ("CreateArchive", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(events.refusal(operation, parameters.clone()).await.0, code, "{operation} {parameters}");
    }
    events.call("RemoveTargets", json!({ "Rule": "on", "Ids": ["1"] })).await;
    events.call("DeleteRule", json!({ "Name": "on" })).await;
    assert_eq!(events.call("ListRules", json!({})).await["Rules"], json!([]));
    cloud.shutdown().await;
}

/// A schedule of the template that fires once, for the queue of its name.
fn once(name: &str, time: &str, input: Option<Value>) -> Schedule {
    Schedule {
        name: name.to_owned(),
        expression: format!("at({time})"),
        timezone: None,
        target: Target::Queue(arn("sqs", name)),
        input,
        enabled: true,
        group: "default".to_owned(),
        start: None,
        end: None,
        role_arn: "arn:aws:iam::000000000000:role/any".to_owned(),
        dead_letters: None,
        message_group_id: None,
        event: None,
    }
}

fn soon() -> String {
    let soon = OffsetDateTime::now_utc() + time::Duration::seconds(2);
    soon.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]")).unwrap()
}

#[tokio::test]
async fn a_schedule_starts_its_target() {
    let soon = soon();
    let schedules = vec![once("given", &soon, Some(json!({ "a": 1 }))), once("told", &soon, None)];
    let queues = ["given", "told"].map(|name| queue(name, &[])).to_vec();
    let cloud = cloud(&Application { queues, schedules, ..Application::default() }).await;
    assert_eq!(next_body(&cloud, "given").await, r#"{"a":1}"#);
    let told: Value = serde_json::from_str(&next_body(&cloud, "told").await).unwrap();
    assert_eq!((&told["source"], &told["detail-type"]), (&json!("aws.scheduler"), &json!("Scheduled Event")));
    assert_eq!(told["resources"], json!([arn("scheduler", "schedule/default/told")]));
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_one_time_schedule_of_the_template_fires_once_over_all_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one-time-schedules.json");
    let marks = || -> Value { serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap() };
    let late = || once("told", "2000-01-01T00:00:00", Some(json!("late")));
    let application = |schedules| Application { queues: vec![queue("told", &[])], schedules, ..Application::default() };
    // It is there for the first time long after its one time.
    cloud_in(folder.path(), &application(vec![late()])).await.shutdown().await;
    let mut kept = marks();
    assert!(kept["default/told"]["since"].as_i64().unwrap() > 946_684_800);
    // As if it had been there since 1999.
    kept["default/told"]["since"] = json!(946_600_000);
    kept["default/told"]["is_over"] = json!(false);
    std::fs::write(&file, kept.to_string()).unwrap();

    let cloud = cloud_in(folder.path(), &application(vec![late()])).await;
    assert_eq!(next_body(&cloud, "told").await, r#""late""#);
    cloud.shutdown().await;
    assert_eq!(marks()["default/told"]["is_over"], true);

    // The other one fires later than this one would.
    let other = Schedule { name: "untold".to_owned(), ..once("told", &soon(), Some(json!("other"))) };
    let cloud = cloud_in(folder.path(), &application(vec![late(), other])).await;
    assert_eq!(next_body(&cloud, "told").await, r#""other""#);
    cloud.shutdown().await;
    cloud_in(folder.path(), &application(Vec::new())).await.shutdown().await;
    assert_eq!(marks(), json!({}));
}

#[tokio::test]
async fn a_schedule_whose_one_time_came_while_nothing_ran_fires_once() {
    let folder = tempfile::tempdir().unwrap();
    let application = Application { queues: vec![queue("late", &[])], ..Application::default() };
    let cloud = cloud_in(folder.path(), &application).await;
    let body = json!({
        "ScheduleExpression": "at(2099-01-01T00:00:00)",
        "FlexibleTimeWindow": { "Mode": "OFF" },
        "Target": { "Arn": arn("sqs", "late"), "RoleArn": "arn:aws:iam::000000000000:role/any", "Input": "late" },
    });
    let request = http::Request::post("/schedules/late").header(
        "authorization",
        "AWS4-HMAC-SHA256 \
        Credential=A/20260101/us-east-1/scheduler/aws4_request, Signature=0",
    );
    let answer = send(&cloud, request.body(body.to_string().into()).unwrap()).await;
    assert_eq!(answer.status, http::StatusCode::OK, "{}", answer.body);
    cloud.shutdown().await;
    // As if it had been made in 1999 for the year 2000.
    let file = folder.path().join("schedules.json");
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    kept["default/late"]["changed_at"] = json!(946_600_000);
    let described = &mut kept["default/late"]["description"]["ScheduleExpression"];
    assert_eq!(*described, "at(2099-01-01T00:00:00)");
    *described = json!("at(2000-01-01T00:00:00)");
    std::fs::write(&file, kept.to_string()).unwrap();

    let cloud = cloud_in(folder.path(), &application).await;
    assert_eq!(next_body(&cloud, "late").await, "late");
    cloud.shutdown().await;
    // It is over, and written down as that.
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept["default/late"]["is_over"], true);
}

#[tokio::test]
async fn a_bucket_tells_of_the_objects_that_it_is_asked_for() {
    let bucket = Bucket {
        logical_id: "Data".to_owned(),
        name: "data".to_owned(),
        versioned: false,
        event_bridge: false,
        notifications: vec![BucketNotification {
            events: vec!["s3:ObjectCreated:*".to_owned(), "s3:ObjectRemoved:Delete".to_owned()],
            prefix: "in/".to_owned(),
            suffix: ".csv".to_owned(),
            target: Target::Queue(arn("sqs", "work")),
        }],
    };
    let cloud =
        cloud(&Application { queues: vec![queue("work", &[])], buckets: vec![bucket], ..Application::default() }).await;
    for (method, key) in
        [("PUT", "out/a.csv"), ("PUT", "in/a.txt"), ("PUT", "in/a%20b%2B.csv"), ("DELETE", "in/a%20b%2B.csv")]
    {
        let request = http::Request::builder().method(method).uri(format!("/data/{key}"));
        assert!(send(&cloud, request.body("x".into()).unwrap()).await.status.is_success(), "{method} {key}");
    }
    for name in ["ObjectCreated:Put", "ObjectRemoved:Delete"] {
        let event: Value = serde_json::from_str(&next_body(&cloud, "work").await).unwrap();
        let record = &event["Records"][0];
        assert_eq!((&record["eventName"], &record["eventSource"]), (&json!(name), &json!("aws:s3")));
        assert_eq!(record["s3"]["bucket"]["arn"], "arn:aws:s3:::data");
        assert_eq!(record["s3"]["object"]["key"], "in/a+b%2B.csv");
    }
    cloud.shutdown().await;
}
