//! What requests over HTTP take, beside what they may take: `cargo bench -p cloud`.
//!
//! The port, the load generator and the processes of the function share one machine. Started by Lambda, this same program is
//! the function that is invoked.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on must stop")]

mod client;
mod stage;

use std::{
    env, fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use client::Client;
use futures::future::join_all;
use serde_json::{Value, json};
use stage::{EXPRESS, STANDARD, Stage, TASK, arn};

/// How often what takes less than a millisecond is done.
const TIMES: usize = 2000;

/// How often a crowd comes.
const CROWDS: usize = 30;

/// How many executions are started at once.
const CROWD: usize = 200;

/// How many tasks there are for how many processes.
const TASKS: usize = 1000;
const PROCESSES: usize = 16;

#[tokio::main]
async fn main() {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return stage::function().await;
    }
    let stage = Stage::new().await;
    let address = stage.cloud.address();
    println!("load of the machine before: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());

    let one = one_after_the_other(address, TIMES, start_and_describe).await;
    tell("a Standard execution of one Pass, start to described as done", one, Some(Duration::from_millis(1)));
    let pass = one_after_the_other(address, TIMES, async |client| synchronous(client, EXPRESS, 0).await).await;
    let sync_pass = tell("StartSyncExecution of one Pass", pass, Some(Duration::from_micros(300)));
    let task = one_after_the_other(address, TIMES, async |client| synchronous(client, TASK, 0).await).await;
    let sync_task = tell("StartSyncExecution of one task of a warm function", task, None);
    let more = vec![sync_task.saturating_sub(sync_pass)];
    tell("... more than of one Pass, by the medians", more, Some(Duration::from_micros(300)));
    tell(&format!("{CROWD} executions of one Pass at once"), crowds(address).await, Some(Duration::from_millis(100)));
    let all = tasks_on_processes(address).await;
    tell(&format!("{TASKS} tasks on {PROCESSES} processes, none lost"), vec![all], None);
    stage.cloud.shutdown().await;
}

/// How long something takes on one connection, each time; the first tenth is for warming up.
async fn one_after_the_other(
    address: SocketAddr,
    times: usize,
    mut act: impl AsyncFnMut(&mut Client),
) -> Vec<Duration> {
    let mut client = Client::connect(address).await;
    let mut taken = Vec::with_capacity(times);
    for time in 0..times + times / 10 {
        let started = Instant::now();
        act(&mut client).await;
        if time >= times / 10 {
            taken.push(started.elapsed());
        }
    }
    taken
}

async fn start_and_describe(client: &mut Client) {
    let started = client.states("StartExecution", &json!({ "stateMachineArn": arn(STANDARD) })).await;
    let execution = json!({ "executionArn": started["executionArn"] });
    while client.states("DescribeExecution", &execution).await["status"] != "SUCCEEDED" {}
}

async fn synchronous(client: &mut Client, machine: &str, number: usize) {
    let request = json!({ "stateMachineArn": arn(machine), "input": json!({ "number": number }).to_string() });
    let answer = client.states("StartSyncExecution", &request).await;
    let output: Value = serde_json::from_str(answer["output"].as_str().unwrap_or_default()).unwrap_or_default();
    assert_eq!(output["number"], number, "{answer}");
}

/// From the first start to the last that is described as done, each on a connection of its own.
async fn crowds(address: SocketAddr) -> Vec<Duration> {
    let mut clients = Client::several(CROWD, address).await;
    let mut taken = Vec::with_capacity(CROWDS);
    for _ in 0..CROWDS {
        let started = Instant::now();
        clients = join_all(clients.into_iter().map(|mut client| {
            let alone = async move {
                start_and_describe(&mut client).await;
                client
            };
            async { tokio::spawn(alone).await.unwrap() }
        }))
        .await;
        taken.push(started.elapsed());
    }
    taken
}

/// As many connections as processes, so that there are no more of these; each answer has to be that of its own task.
async fn tasks_on_processes(address: SocketAddr) -> Duration {
    let clients = Client::several(PROCESSES, address).await;
    let started = Instant::now();
    let working = clients.into_iter().enumerate().map(|(first, mut client)| {
        tokio::spawn(async move {
            let mut done = 0;
            for number in (first..TASKS).step_by(PROCESSES) {
                synchronous(&mut client, TASK, number).await;
                done += 1;
            }
            done
        })
    });
    let done: usize = join_all(working).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(done, TASKS);
    started.elapsed()
}

/// Tells the median and the 99th percentile beside the budget, and gives the median.
fn tell(what: &str, mut taken: Vec<Duration>, budget: Option<Duration>) -> Duration {
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100];
    let median = at(50);
    let verdict = match budget {
        None => String::new(),
        Some(budget) if median <= budget => format!("within {budget:?}"),
        Some(budget) => format!("OVER {budget:?}"),
    };
    println!("{what:<66} median {median:>10.1?}  99 % {:>10.1?}  {verdict}", at(99));
    median
}
