//! Executions whose runner is killed again and again: their histories are those of an undisturbed run.
//!
//! The runner is this same program, started again. `JOURNAL_TEST_EXECUTIONS` says how many executions there are and
//! `JOURNAL_TEST_KILLS` how often it is killed. Measured on two cores: 1,000 executions with 120 kills take a minute.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod machines;

use std::{
    env,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, RandomState},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use asl::Value;
use engine::{
    history,
    journal::Journal,
    run::{Executions, Redriven, Running, StartError},
};
use tokio::task::JoinSet;

use machines::{Answers, Machines, arn, identity, input, is_to_be_redriven};

const FOLDER: &str = "JOURNAL_TEST_FOLDER";
const EXECUTIONS: &str = "JOURNAL_TEST_EXECUTIONS";
const KILLS: &str = "JOURNAL_TEST_KILLS";

/// How many executions go on at once.
const AT_ONCE: usize = 50;

/// How many events a runner tells at most before it is killed.
const LONGEST_LIFE: u64 = 600;

#[test]
fn histories_are_those_of_an_undisturbed_run_however_often_the_runner_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (executions, kills) = (number(EXECUTIONS, 200), number(KILLS, 12));
    for kill in 0..kills {
        let mut runner = start(folder.path(), executions);
        // Every fourth one is killed while it starts, or opens the journal.
        let life = if kill % 4 == 3 { 0 } else { RandomState::new().hash_one(kill) % LONGEST_LIFE };
        io::copy(&mut runner.stdout.as_mut().unwrap().take(life), &mut io::sink()).unwrap();
        runner.kill().unwrap();
        runner.wait().unwrap();
    }
    let last = start(folder.path(), executions).wait_with_output().unwrap();
    assert!(last.status.success());
    let resumed = fs::read_to_string(folder.path().join("resumed.txt")).unwrap();
    let resumed: usize = resumed.lines().map(|count| count.parse::<usize>().unwrap()).sum();
    assert!(resumed > 0, "every kill found nothing that runs");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (killed, undisturbed) = runtime.block_on(async {
        let killed = open(Journal::open(&journal(folder.path())).unwrap());
        let inputs = (0..executions).map(|number| recorded(&killed, number).identity().input.clone()).collect();
        (killed, undisturbed(inputs).await)
    });
    for number in 0..executions {
        assert_eq!(shown(&recorded(&killed, number)), shown(&recorded(&undisturbed, number)), "execution {number}");
    }
    let redriven = (0..executions).filter(|number| recorded(&killed, *number).look(|one| one.redriven().is_some()));
    let redriven = redriven.count();
    assert!(redriven > 0, "no execution was redriven");
    println!("{executions} executions, {kills} kills: {resumed} taken up again in all, {redriven} redriven");
    // What anybody saw of an execution before a kill, at its time, is what there is after it.
    for line in fs::read_to_string(seen(folder.path())).unwrap().lines() {
        let mut parts = line.split(' ');
        let (number, event): (usize, usize) =
            (parts.next().unwrap().parse().unwrap(), parts.next().unwrap().parse().unwrap());
        let after = recorded(&killed, number).look(|execution| told(number, &execution.history()[event - 1]));
        assert_eq!(after, line);
    }
}

#[tokio::test]
#[ignore = "not a test: the runner that is killed"]
async fn runner() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let count = number(EXECUTIONS, 0);
    let append = |file: &Path| OpenOptions::new().create(true).append(true).open(file).unwrap();
    let seen = Arc::new(append(&seen(&folder)));
    let executions = open(Journal::open(&journal(&folder)).unwrap());
    let mut watched = JoinSet::new();
    let resumed = executions.resume().unwrap();
    assert!(resumed.refused.is_empty(), "{:?}", resumed.refused);
    append(&folder.join("resumed.txt")).write_all(format!("{}\n", resumed.running.len()).as_bytes()).unwrap();
    for running in resumed.running {
        watched.spawn(watch(executions.clone(), running, seen.clone()));
    }
    let machines = Machines::compile();
    for number in 0..count {
        let execution = identity(number, input(number));
        match executions.start(machines.of(number), execution) {
            Ok(started) => {
                watched.spawn(watch(executions.clone(), started.running().clone(), seen.clone()));
                while watched.len() >= AT_ONCE {
                    watched.join_next().await.unwrap().unwrap();
                }
            }
            // It has ended. Nobody may have come to redrive it.
            Err(StartError::Exists) => {
                let running = recorded(&executions, number);
                if running.look(is_to_be_redriven) {
                    watched.spawn(watch(executions.clone(), running, seen.clone()));
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    while let Some(ended) = watched.join_next().await {
        ended.unwrap();
    }
}

/// Writes down what there is to see of an execution, until it has ended for good, and tells of each event by a byte.
async fn watch(executions: Arc<Executions>, mut running: Arc<Running>, seen: Arc<File>) {
    let number = usize::try_from(running.identity().seed).unwrap();
    let mut events = running.subscribe();
    let mut shown = 0;
    loop {
        for event in running.events_from(shown) {
            shown += 1;
            (&*seen).write_all(format!("{}\n", told(number, &event)).as_bytes()).unwrap();
            let mut stdout = io::stdout().lock();
            stdout.write_all(b".").and_then(|()| stdout.flush()).unwrap();
        }
        if running.look(|execution| execution.has_ended() && execution.history().len() == shown) {
            let Some(redriven) = redriven(&executions, &running) else { return };
            running = redriven;
            events = running.subscribe();
        } else {
            events.changed().await.unwrap();
        }
    }
}

/// An execution that goes on because it was redriven, where that is to be.
fn redriven(executions: &Arc<Executions>, running: &Running) -> Option<Arc<Running>> {
    if !running.look(is_to_be_redriven) {
        return None;
    }
    match executions.redrive(&running.identity().arn, None).unwrap() {
        Redriven::Now { running, .. } => Some(running),
        Redriven::Before { .. } => None,
    }
}

fn told(number: usize, event: &engine::Event) -> String {
    format!("{number} {} {} {}", event.id, event.at.unix_timestamp_nanos(), history::event_type(&event.kind))
}

fn open(journal: Journal) -> Arc<Executions> {
    let answers = Arc::new(Answers::default());
    let executions = Executions::new(journal, answers.clone());
    answers.belong_to(executions.clone());
    executions
}

/// The same executions, all at once, with nobody who kills.
async fn undisturbed(inputs: Vec<Value>) -> Arc<Executions> {
    let executions = open(Journal::in_memory().unwrap());
    let machines = Machines::compile();
    let mut started = Vec::new();
    for (number, input) in inputs.into_iter().enumerate() {
        started.push(executions.start(machines.of(number), identity(number, input)).unwrap());
    }
    for started in started {
        let mut running = started.running().clone();
        running.ended().await;
        while let Some(redriven) = redriven(&executions, &running) {
            running = redriven;
            running.ended().await;
        }
    }
    executions
}

fn recorded(executions: &Arc<Executions>, number: usize) -> Arc<Running> {
    executions.find(&arn(number)).unwrap().unwrap_or_else(|| panic!("there is no execution {number}"))
}

/// Every event of an execution that has ended, without its time.
fn shown(running: &Running) -> Vec<Value> {
    running.look(|execution| {
        assert!(execution.has_ended(), "{:#?}", execution.history());
        let without_time = |event: &engine::Event| match history::to_json(event, true) {
            Value::Object(fields) => fields
                .iter()
                .filter(|(name, _)| &***name != "timestamp")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect::<asl::value::Object>()
                .into(),
            other => other,
        };
        execution.history().iter().map(without_time).collect()
    })
}

fn start(folder: &Path, executions: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "runner", "--ignored", "--nocapture", "--quiet"])
        .env(FOLDER, folder)
        .env(EXECUTIONS, executions.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("journal")
}

fn seen(folder: &Path) -> PathBuf {
    folder.join("seen.txt")
}

fn number(variable: &str, otherwise: usize) -> usize {
    env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}
