//! One process of a function: started, given one invocation at a time, and killed when it is late.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    invocation::{PlatformError, Task},
    logs::LogStream,
    program::{Program, Start},
    runtime_api::{Report, RuntimeApi},
};

/// Why there is no process.
#[derive(Debug)]
pub(crate) enum SpawnError {
    /// This machine has no port or pipe left.
    Machine(io::Error),
    /// The function's program does not start.
    Program(String),
}

/// Why a process did not get as far as to ask for work.
#[derive(Debug)]
pub(crate) enum InitFailure {
    TimedOut,
    Turn(Turn),
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Turn {
    /// The function answered.
    Answered(Bytes),
    /// The function reported an error.
    Failed(Bytes),
    /// Lambda ended it.
    Ended(PlatformError),
    /// The process went away before it took the invocation. One that has taken it may have begun with it: its end is
    /// [`Turn::Ended`], and nothing runs twice.
    NotTaken(PlatformError),
    ShuttingDown,
}

enum Signalled {
    Report(Report),
    Exited(PlatformError),
    Late,
    ShuttingDown,
}

/// One process and its end of the Runtime API. Dropping it kills the process and all that it has started.
pub(crate) struct Sandbox {
    child: Child,
    group: Option<Pid>,
    api: RuntimeApi,
    logs: Arc<LogStream>,
    shutdown: CancellationToken,
    /// Whether the process waits for work.
    ready: bool,
    /// When it has to wait for work again. The time-out of an invocation covers what its process still does after the
    /// answer.
    ready_by: Instant,
}

impl Sandbox {
    /// Starts the process, for the invocation with this id.
    pub(crate) async fn spawn(program: &Program, request_id: &str) -> Result<Self, SpawnError> {
        let api = RuntimeApi::start(program.timeout).await.map_err(SpawnError::Machine)?;
        let (logs, output) = LogStream::new(program, request_id).map_err(SpawnError::Machine)?;
        let (executable, arguments) = match &program.start {
            Start::Process { executable, arguments } => (executable.as_path(), arguments.as_slice()),
            Start::Late(build) => {
                let built = build.executable(&program.shutdown).await;
                (built.map_err(|error| SpawnError::Program(error.to_string()))?, [].as_slice())
            }
            Start::Impossible { reason } => return Err(SpawnError::Program(reason.clone())),
        };
        let child = Command::new(executable)
            .args(arguments)
            .current_dir(&program.task_root)
            .env_clear()
            .envs(&program.environment)
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", logs.name())
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(SpawnError::Machine)?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| SpawnError::Program(format!("cannot start {}: {error}", executable.display())))?;
        tokio::spawn(Arc::clone(&logs).follow());
        Ok(Self {
            group: child.id().and_then(|id| Pid::from_raw(id.cast_signed())),
            child,
            api,
            logs,
            shutdown: program.shutdown.clone(),
            ready: false,
            ready_by: Instant::now(),
        })
    }

    /// What the process prints.
    pub(crate) fn logs(&self) -> &LogStream {
        &self.logs
    }

    /// Waits until a new process asks for work.
    pub(crate) async fn initialise(&mut self, limit: Duration) -> Result<(), InitFailure> {
        let turn = match self.signalled(Instant::now() + limit).await {
            Signalled::Report(Report::Ready) => {
                self.ready = true;
                return Ok(());
            }
            Signalled::Late => {
                self.kill().await;
                return Err(InitFailure::TimedOut);
            }
            Signalled::Report(Report::InitError(payload) | Report::Error(payload) | Report::Response(payload)) => {
                Turn::Failed(payload)
            }
            Signalled::Report(Report::Refused(error)) | Signalled::Exited(error) => Turn::Ended(error),
            Signalled::ShuttingDown => Turn::ShuttingDown,
        };
        self.kill().await;
        Err(InitFailure::Turn(turn))
    }

    /// Gives a process that waits for work an invocation, and waits for its end. Whatever ends it but an answer ends
    /// the process too.
    pub(crate) async fn invoke(&mut self, task: &Task, time_left: Duration, timeout: Duration) -> Turn {
        let deadline = Instant::now() + time_left;
        self.ready = false;
        self.ready_by = deadline;
        self.api.hand_over(task.clone());
        let turn = loop {
            break match self.signalled(deadline).await {
                // A runtime that polls twice, or again on a new connection.
                Signalled::Report(Report::Ready) => continue,
                Signalled::Report(Report::Response(payload)) => return Turn::Answered(payload),
                Signalled::Report(Report::Error(payload) | Report::InitError(payload)) => return Turn::Failed(payload),
                Signalled::Report(Report::Refused(error)) => return Turn::Ended(error),
                Signalled::Exited(error) if self.api.taken() => Turn::Ended(error),
                Signalled::Exited(error) => Turn::NotTaken(error),
                Signalled::Late => Turn::Ended(PlatformError::timed_out(timeout)),
                Signalled::ShuttingDown => Turn::ShuttingDown,
            };
        };
        self.kill().await;
        turn
    }

    /// Waits until the process is done with what it still does after its last answer; false where it does not come back.
    pub(crate) async fn settle(&mut self) -> bool {
        while !self.ready {
            match self.signalled(self.ready_by).await {
                Signalled::Report(report) => self.ready = matches!(report, Report::Ready),
                Signalled::Exited(_) | Signalled::Late | Signalled::ShuttingDown => {
                    self.kill().await;
                    return false;
                }
            }
        }
        true
    }

    /// Whether the process runs and waits for work, as far as is known now.
    pub(crate) fn is_ready(&mut self) -> bool {
        while let Some(report) = self.api.reported() {
            self.ready |= matches!(report, Report::Ready);
        }
        self.ready && self.is_alive()
    }

    /// Whether the process runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The most memory that the process has had at once, in MB. Linux knows it, others do not.
    pub(crate) fn max_memory_mb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes.div_ceil(1024))
    }

    /// Kills the process and all that it has started, and waits for its end.
    pub(crate) async fn kill(&mut self) {
        self.kill_group();
        if let Err(error) = self.child.kill().await {
            tracing::debug!(%error, "a function's process was gone before it was killed");
        }
    }

    fn kill_group(&mut self) {
        if let Some(group) = self.group.take() {
            // It fails where nothing of the group is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    async fn signalled(&mut self, until: Instant) -> Signalled {
        tokio::select! {
            biased;
            Some(report) = self.api.report() => Signalled::Report(report),
            status = self.child.wait() => match self.api.reported() {
                // What it said came before its end; the end is seen again at the next call.
                Some(report) => Signalled::Report(report),
                None => Signalled::Exited(PlatformError::exited(&exit_reason(status))),
            },
            () = self.shutdown.cancelled() => Signalled::ShuttingDown,
            () = sleep_until(until) => Signalled::Late,
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// How Lambda words the end of a process.
fn exit_reason(status: io::Result<ExitStatus>) -> String {
    let status = match status {
        Ok(status) if status.success() => return "Runtime exited without providing a reason".to_owned(),
        Ok(status) => status,
        Err(error) => return format!("Runtime exited with error: {error}"),
    };
    let reason = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal: {}", signal_name(signal)),
        (None, None) => status.to_string(),
    };
    let core = if status.core_dumped() { " (core dumped)" } else { "" };
    format!("Runtime exited with error: {reason}{core}")
}

fn signal_name(signal: i32) -> String {
    let name = match Signal::from_named_raw(signal) {
        Some(Signal::ABORT) => "aborted",
        Some(Signal::BUS) => "bus error",
        Some(Signal::FPE) => "floating point exception",
        Some(Signal::HUP) => "hangup",
        Some(Signal::ILL) => "illegal instruction",
        Some(Signal::INT) => "interrupt",
        Some(Signal::KILL) => "killed",
        Some(Signal::PIPE) => "broken pipe",
        Some(Signal::SEGV) => "segmentation fault",
        Some(Signal::TERM) => "terminated",
        Some(Signal::TRAP) => "trace/breakpoint trap",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}
