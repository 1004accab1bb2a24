//! `stairwell up` as a child process.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::Child,
    sync::{Arc, Mutex, Weak, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{sync::watch, time::timeout};

use crate::Command;

/// The longest that anything waited for may take. Nothing is fast or slow by it: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running local cloud. It stops when this is dropped.
pub struct Runner {
    child: Child,
    ready: Value,
    lines: watch::Receiver<Vec<Value>>,
    errors: Option<JoinHandle<String>>,
    closed: Mutex<mpsc::Receiver<()>>,
}

/// How an execution ended.
#[derive(Debug)]
pub struct Ended {
    /// Its ARN.
    pub arn: String,
    /// `SUCCEEDED`, `FAILED`, …
    pub status: String,
    /// Its output; null where it did not succeed.
    pub output: Value,
    /// The error's name; empty where there is none.
    pub error: String,
    /// What the error says; empty where there is none.
    pub cause: String,
}

impl Runner {
    /// The project's application, shared with the tests that run at the same time. It stops with the last of them.
    ///
    /// A test that uses it must not be disturbed by others' objects, items and executions.
    pub async fn shared() -> Arc<Self> {
        static SHARED: tokio::sync::Mutex<Weak<Runner>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(runner) = shared.upgrade() {
            return runner;
        }
        let runner = Arc::new(Self::up(["--ephemeral"]).await);
        *shared = Arc::downgrade(&runner);
        runner
    }

    /// A runner of its own on any free port, with more arguments. It is ready.
    pub async fn up<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Self {
        Self::of(Self::command(arguments)).await
    }

    /// The command that a runner is, with more arguments.
    pub fn command<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
        arguments.into_iter().fold(Command::new(["up", "--json", "--port", "0"]), Command::arg)
    }

    /// The runner that a command is. It is ready.
    pub async fn of(command: Command) -> Self {
        let mut child = command.spawn();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let (sender, lines) = watch::channel(Vec::new());
        let (closing, closed) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                sender.send_modify(|lines| lines.push(line));
            }
            let _ = closing.send(());
        });
        let mut runner = Self { child, ready: Value::Null, lines, errors: Some(errors), closed: Mutex::new(closed) };
        match runner.line(|line| line["endpointUrl"].is_string().then(|| line.clone())).await {
            Some(ready) => runner.ready = ready,
            None => panic!("the runner is not ready: {}", runner.errors.take().unwrap().join().unwrap()),
        }
        runner
    }

    /// `http://127.0.0.1:<port>`.
    pub fn endpoint_url(&self) -> &str {
        self.ready["endpointUrl"].as_str().unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.endpoint_url().trim_start_matches("http://").parse().unwrap()
    }

    /// What it told when it was ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// The ARN of a state machine.
    pub fn state_machine(&self, key: &str) -> &str {
        self.named("stateMachines", key)
    }

    /// The name of a bucket.
    pub fn bucket(&self, key: &str) -> &str {
        self.named("buckets", key)
    }

    /// The name of a table.
    pub fn table(&self, key: &str) -> &str {
        self.named("tables", key)
    }

    /// The name of a queue.
    pub fn queue(&self, key: &str) -> &str {
        self.named("queues", key)
    }

    /// The ARN of a function.
    pub fn function(&self, key: &str) -> &str {
        self.named("functions", key)
    }

    fn named(&self, kind: &str, key: &str) -> &str {
        self.ready[kind][key].as_str().unwrap_or_else(|| panic!("no {kind} {key} in {}", self.ready))
    }

    /// Its process.
    pub fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The first line of standard output, so far or from now on, of which `pick` makes something. `None` where the runner
    /// ended without one.
    pub async fn line<T>(&self, mut pick: impl FnMut(&Value) -> Option<T>) -> Option<T> {
        let mut lines = self.lines.clone();
        let mut seen = 0;
        let found = async {
            loop {
                {
                    let so_far = lines.borrow_and_update();
                    let found = so_far.iter().skip(seen).find_map(&mut pick);
                    if found.is_some() {
                        return found;
                    }
                    seen = so_far.len();
                }
                if lines.changed().await.is_err() {
                    return None;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no line fits: {:#?}", *self.lines.borrow()))
    }

    /// The lines of an execution so far.
    pub fn lines_of(&self, execution: &str) -> Vec<Value> {
        self.lines.borrow().iter().filter(|line| line["executionArn"] == execution).cloned().collect()
    }

    /// The ARN of the first execution whose input fits.
    pub async fn started(&self, fits: impl Fn(&Value) -> bool) -> String {
        let arn = self.line(|line| {
            let input = line["event"]["executionStartedEventDetails"]["input"].as_str()?;
            let input = serde_json::from_str(input).ok()?;
            fits(&input).then(|| line["executionArn"].as_str().map(str::to_owned))?
        });
        arn.await.expect("the runner runs")
    }

    /// Waits until an execution has ended.
    pub async fn ended(&self, execution: &str) -> Ended {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ended = self.line(|line| {
            (line["executionArn"] == execution && line["status"].is_string()).then(|| Ended {
                arn: execution.to_owned(),
                status: text(&line["status"]),
                output: line["output"].clone(),
                error: text(&line["error"]),
                cause: text(&line["cause"]),
            })
        });
        ended.await.expect("the runner runs")
    }

    /// Asks it to stop as a service manager does, and waits until it has. Gives its exit status.
    pub fn stop(mut self) -> Option<i32> {
        self.end(Signal::TERM)
    }

    /// Kills it, so that it has no time for anything.
    pub fn kill(mut self) {
        self.end(Signal::KILL);
    }

    fn end(&mut self, signal: Signal) -> Option<i32> {
        let _ = kill_process(self.process(), signal);
        let closed = self.closed.lock().unwrap().recv_timeout(PATIENCE);
        if closed.is_err() {
            let _ = self.child.kill();
        }
        self.child.wait().ok()?.code()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.end(Signal::TERM);
        }
    }
}
