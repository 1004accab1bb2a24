//! Executions that begin: names that are taken, and many at once.

use std::sync::Arc;

use engine::run::{StartError, Started};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::{Runner, arn, evaluates, pass, task};

#[tokio::test]
async fn a_name_is_taken_before_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    first.start(&pass(), "ended", &json!({ "a": 1 }));
    first.start(&task(), "runs", &json!({ "a": 1 }));
    let second = Runner::on(&folder);
    // Also where nobody lets it go on.
    for resumes in [false, true] {
        if resumes {
            second.executions.resume().unwrap();
        }
        for runner in [&first, &second] {
            let start = |name, input| runner.try_start(&task(), name, &json!({ "a": input }));
            assert!(matches!(start("ended", 1), Err(StartError::Exists)));
            assert!(matches!(start("runs", 2), Err(StartError::Exists)));
            assert!(matches!(start("runs", 1), Ok(Started::Same(running)) if *running.identity().arn == arn("runs")));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_go_on_while_the_first_steps_of_one_take_long() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Arc::new(Runner::on(&folder));
    runner.start(&evaluates("{% 1 %}"), "waits", &json!({}));
    let (done, mut order) = mpsc::unbounded_channel();
    let (begins, begun) = oneshot::channel();
    let (slow, slow_done) = (runner.clone(), done.clone());
    let starting = tokio::spawn(async move {
        begins.send(()).unwrap();
        slow.start(&evaluates("{% ($f := function($n) { $f($n + 1) }; $f(0)) %}"), "slow", &json!({}));
        slow_done.send("slow").unwrap();
    });
    let looking = tokio::spawn(async move {
        begun.await.unwrap();
        runner.find("waits");
        runner.start(&pass(), "quick", &json!({}));
        done.send("others").unwrap();
    });
    starting.await.unwrap();
    looking.await.unwrap();
    assert_eq!((order.recv().await, order.recv().await), (Some("others"), Some("slow")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_starts_at_once_with_one_name_are_one_execution() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Arc::new(Runner::on(&folder));
    let start = |runner: Arc<Runner>| {
        tokio::spawn(async move {
            let started = runner.try_start(&evaluates("{% $sum([1..100000]) %}"), "one", &json!({}));
            started.unwrap().running().clone()
        })
    };
    let (one, other) = (start(runner.clone()), start(runner.clone()));
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    assert!(Arc::ptr_eq(&one, &runner.find("one")));
}
