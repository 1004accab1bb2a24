//! What can go wrong on a machine: a disk that is full, data that are broken.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use end_to_end::{Answer, Command, Runner, fixture};
use serde_json::{Value, json};

fn arguments(data: &Path) -> [std::ffi::OsString; 4] {
    ["-t".into(), fixture("journal/template.yaml").into(), "--data".into(), data.into()]
}

/// The files of a folder that have been set aside.
fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.file_name().and_then(OsStr::to_str).unwrap().contains(".broken-")).collect()
}

#[tokio::test]
async fn broken_data_are_named_and_kept_and_the_runner_starts_without_them_when_told_to() {
    let data = tempfile::tempdir().unwrap();
    let runner = Runner::up(arguments(data.path())).await;
    let input = json!({ "until": "2020-01-01T00:00:00Z" });
    assert_eq!(runner.execute("Waiting", &input).await.status, "SUCCEEDED");
    let activity = runner.sfn().create_activity().name("made").send().await.unwrap().activity_arn;
    assert_eq!(runner.stop(), Some(0));

    for name in ["executions/journal.sqlite", "activities.json"] {
        let file = data.path().join(name);
        let mut broken = fs::read(&file).unwrap();
        let middle = broken.len() / 2;
        broken[middle..].fill(0xee);
        fs::write(&file, &broken).unwrap();

        let up = || arguments(data.path()).into_iter().fold(Command::new(["up", "--port", "0"]), Command::arg);
        let refused = up().run().expect(2).stderr;
        for named in [file.to_str().unwrap(), "is broken", "--set-aside-broken"] {
            assert!(refused.contains(named), "{named}: {refused}");
        }
        assert_eq!(fs::read(&file).unwrap(), broken);

        let told = Runner::command(arguments(data.path())).arg("--set-aside-broken");
        let runner = Runner::of(told).await;
        assert_eq!(runner.execute("Waiting", &input).await.status, "SUCCEEDED");
        assert_eq!(runner.stop(), Some(0));
        let kept = set_aside(file.parent().unwrap());
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(fs::read(&kept[0]).unwrap(), broken);
    }
    // What is whole is used once more, and what was not is gone.
    let runner = Runner::up(arguments(data.path())).await;
    let executions = runner.sfn().list_executions().state_machine_arn(runner.state_machine("Waiting")).send().await;
    assert_eq!(executions.unwrap().executions.len(), 2);
    let described = runner.sfn().describe_activity().activity_arn(activity).send().await.unwrap_err();
    assert!(described.as_service_error().unwrap().is_activity_does_not_exist());
}

/// What a service answers that is told apart by its target.
async fn ask(runner: &Runner, target: &str, parameters: &Value) -> Answer {
    let target = format!("x-amz-target: {target}");
    runner.request("POST", "/", &[&target], parameters.to_string().as_bytes()).await
}

/// A limit on the size of files stands for a disk without room.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_nothing_is_confirmed_and_nothing_is_lost() {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
    use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

    let data = tempfile::tempdir().unwrap();
    let runner = Runner::of(Runner::command(arguments(data.path())).bearing_file_limits()).await;
    let room = |bytes: Option<u64>| {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        prlimit(Some(runner.process()), Resource::Fsize, limit).unwrap();
    };
    let activity = runner.sfn().create_activity().name("work").send().await.unwrap().activity_arn;
    runner.s3().create_bucket().bucket("kept").send().await.unwrap();
    let working = runner.start("Working", &json!({ "a": 1 })).await;
    let task = runner.sfn().get_activity_task().activity_arn(activity).send().await.unwrap();
    let token = task.task_token.unwrap();
    let until = (OffsetDateTime::now_utc() + Duration::seconds(1)).format(&Rfc3339).unwrap();
    let waiting = runner.start("Waiting", &json!({ "until": until })).await;

    let queue = format!("{}/000000000000/work", runner.endpoint_url());
    assert_eq!(ask(&runner, "AmazonSQS.CreateQueue", &json!({ "QueueName": "work" })).await.status, 200);
    let policy = format!("/2015-03-31/functions/{}/policy", runner.function("AskFunction"));
    let permission = json!({
        "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
    });
    let permission = permission.to_string();

    room(Some(1));
    for (target, parameters) in [
        ("AmazonSQS.SetQueueAttributes", json!({ "QueueUrl": queue, "Attributes": { "DelaySeconds": "9" } })),
        ("AmazonSQS.TagQueue", json!({ "QueueUrl": queue, "Tags": { "a": "b" } })),
        ("AmazonSQS.DeleteQueue", json!({ "QueueUrl": queue })),
        ("AmazonSQS.SendMessage", json!({ "QueueUrl": queue, "MessageBody": "a" })),
        ("AWSEvents.PutRule", json!({ "Name": "r", "EventPattern": r#"{"source":["a"]}"# })),
        ("AmazonSimpleNotificationService.CreateTopic", json!({ "Name": "t" })),
        ("AmazonSSM.PutParameter", json!({ "Name": "p", "Value": "v", "Type": "String" })),
        ("secretsmanager.CreateSecret", json!({ "Name": "s", "SecretString": "v" })),
    ] {
        assert_eq!(ask(&runner, target, &parameters).await.status, 500, "{target}");
    }
    assert_eq!(runner.request("POST", &policy, &[], permission.as_bytes()).await.status, 500);
    let invocations = policy.replace("policy", "invocations");
    let event = runner.request("POST", &invocations, &["x-amz-invocation-type: Event"], b"1");
    assert_eq!(event.await.status, 500);
    // Nothing of it has happened.
    for (target, parameters, told) in [
        (
            "AmazonSQS.GetQueueAttributes",
            json!({ "QueueUrl": queue, "AttributeNames": ["DelaySeconds"] }),
            json!({
                "Attributes": { "DelaySeconds": "0" }
            }),
        ),
        ("AmazonSQS.ListQueueTags", json!({ "QueueUrl": queue }), json!({})),
        ("AWSEvents.ListRules", json!({}), json!({ "Rules": [] })),
        ("AmazonSimpleNotificationService.ListTopics", json!({}), json!({ "Topics": [] })),
        ("AmazonSSM.DescribeParameters", json!({}), json!({ "Parameters": [] })),
        ("secretsmanager.ListSecrets", json!({}), json!({ "SecretList": [] })),
    ] {
        assert_eq!(ask(&runner, target, &parameters).await.json(), told, "{target}");
    }
    assert_eq!(runner.request("GET", &policy, &[], b"").await.status, 404);
    let succeed = || runner.sfn().send_task_success().task_token(&token).output("[2]").send();
    let start = || {
        let start = runner.sfn().start_execution().state_machine_arn(runner.state_machine("Waiting"));
        start.input(json!({ "until": "2020-01-01T00:00:00Z" }).to_string()).name("started").send()
    };
    let put = |body: &'static [u8]| runner.s3().put_object().bucket("kept").key("k").body(body.to_vec().into()).send();
    succeed().await.unwrap_err();
    start().await.unwrap_err();
    put(b"content").await.unwrap_err();
    let described = runner.sfn().describe_execution().execution_arn(&working).send().await.unwrap();
    assert_eq!(described.status.as_str(), "RUNNING");
    let listed = runner.s3().list_objects_v2().bucket("kept").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0));

    room(None);
    assert_eq!(runner.ended(&waiting).await.status, "SUCCEEDED");
    succeed().await.unwrap();
    let started = start().await.unwrap().execution_arn;
    assert_eq!(runner.ended(&started).await.status, "SUCCEEDED");
    put(b"content").await.unwrap();
    runner.kill();

    let runner = Runner::up(arguments(data.path())).await;
    for (execution, output) in [(&working, Some("[2]")), (&waiting, None), (&started, None)] {
        let described = runner.sfn().describe_execution().execution_arn(execution).send().await.unwrap();
        assert_eq!(described.status.as_str(), "SUCCEEDED");
        assert!(output.is_none_or(|output| described.output.as_deref() == Some(output)));
    }
    let got = runner.s3().get_object().bucket("kept").key("k").send().await.unwrap();
    assert_eq!(&*got.body.collect().await.unwrap().to_vec(), b"content");
}
