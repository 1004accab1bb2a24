//! The processes behind a function: how many there are, how they are used again, and how they end.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use bytes::Bytes;
use cloud::lambda::{InvokeError, InvokeOptions, Lambda};
use futures::future::join_all;
use lambda_support::{answer, config, function, invoke, lambda, meet, record};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn limited(max_processes: usize) -> Arc<Lambda> {
    let mut config = config(vec![function()]);
    config.max_processes = NonZeroUsize::new(max_processes).unwrap();
    Lambda::new(config).unwrap()
}

#[tokio::test]
async fn one_after_the_other_they_use_one_process() {
    let lambda = lambda();
    let mut processes = BTreeSet::new();
    for turn in 0..20 {
        let invocation = invoke(&lambda, json!({ "do": "process" })).await;
        assert_eq!(invocation.init_duration.is_some(), turn == 0);
        processes.insert(invocation.payload);
    }
    assert_eq!(processes.len(), 1);
}

#[tokio::test]
async fn several_at_once_run_in_as_many_processes() {
    let lambda = lambda();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let all = (0..4).map(|_| answer(&lambda, meet(address)));
    let release = async {
        let mut waiting = Vec::new();
        for _ in 0..4 {
            waiting.push(listener.accept().await.unwrap().0);
        }
        for mut stream in waiting {
            stream.write_all(b"!").await.unwrap();
        }
    };
    let (answers, ()) = futures::join!(join_all(all), release);
    assert_eq!(answers, vec![json!("met"); 4]);
}

#[tokio::test]
async fn of_sixteen_at_once_none_is_lost_or_mixed_up() {
    let lambda = limited(3);
    let payloads: Vec<Value> = (0..16).map(|number| json!({ "number": number })).collect();
    let answers = join_all(payloads.iter().map(|payload| answer(&lambda, payload.clone()))).await;
    assert_eq!(answers, payloads);
    let processes = join_all((0..16).map(|_| answer(&lambda, json!({ "do": "process" })))).await;
    let distinct: BTreeSet<u64> = processes.iter().filter_map(Value::as_u64).collect();
    assert!((1..=3).contains(&distinct.len()), "{distinct:?}");
}

#[tokio::test]
async fn a_process_that_died_while_it_had_nothing_to_do_is_replaced_unseen() {
    let lambda = lambda();
    for _ in 0..5 {
        let process = answer(&lambda, json!({ "do": "process" })).await;
        let pid = Pid::from_raw(i32::try_from(process.as_i64().unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        assert_ne!(answer(&lambda, json!({ "do": "process" })).await, process);
    }
}

#[tokio::test]
async fn an_invocation_goes_on_when_its_caller_has_gone() {
    let mut config = config(vec![function()]);
    let (_, mut lines) = record(&mut config);
    let lambda = Lambda::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut caller = tokio::spawn({
        let lambda = Arc::clone(&lambda);
        async move { invoke(&lambda, meet(address)).await }
    });
    let mut stream = tokio::select! {
        accepted = listener.accept() => accepted.unwrap().0,
        ended = &mut caller => panic!("{ended:?}"),
    };
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    stream.write_all(b"!").await.unwrap();
    loop {
        let line = lines.recv().await.unwrap().line;
        assert!(!line.contains("Status: error"), "{line}");
        if line.starts_with("REPORT") {
            break;
        }
    }
}

#[tokio::test]
async fn a_shutdown_ends_what_runs_and_what_waits() {
    let lambda = limited(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut callers = [(); 2].map(|()| {
        let lambda = Arc::clone(&lambda);
        let payload = Bytes::from(meet(address).to_string());
        tokio::spawn(async move { lambda.invoke("Deeds", payload, InvokeOptions::default()).await })
    });
    let mut stream = tokio::select! {
        accepted = listener.accept() => accepted.unwrap().0,
        ended = &mut callers[0] => panic!("{ended:?}"),
    };
    lambda.shutdown().await;
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap_err(), InvokeError::ShuttingDown);
    }
    // The connection of a process that has ended is closed or reset.
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    let error = lambda.invoke("Deeds", Bytes::new(), InvokeOptions::default()).await.unwrap_err();
    assert_eq!(error, InvokeError::ShuttingDown);
}

#[tokio::test]
async fn dropping_lambda_ends_its_processes() {
    let mut config = config(vec![function()]);
    let (_, mut lines) = record(&mut config);
    let lambda = Lambda::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let payload = Bytes::from(meet(listener.local_addr().unwrap()).to_string());
    lambda.invoke_event("Deeds", payload, InvokeOptions::default()).unwrap();
    let ended = async {
        while let Some(line) = lines.recv().await {
            assert!(!line.line.starts_with("END"), "the function did not wait");
        }
    };
    let mut stream = tokio::select! {
        accepted = listener.accept() => accepted.unwrap().0,
        () = ended => panic!("the log has ended"),
    };
    drop(lambda);
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
}
