//! The processes of one function: which of them runs an invocation, and what is said about it.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    concurrency::Admitted,
    invocation::{Invocation, InvokeError, PlatformError, Task},
    kept_build::is_same_file,
    program::{Program, Start},
    sandbox::{InitFailure, Sandbox, SpawnError, Turn},
};

/// How long a new process has until it asks for work.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The processes of one function.
pub(crate) struct Pool {
    program: Program,
    memory_mb: u32,
    /// One for each process that may run. Those who wait are served in their order.
    permits: Semaphore,
    /// The processes that have nothing to do, the last one used at the end.
    idle: Mutex<Idle>,
}

/// The processes that have nothing to do.
#[derive(Default)]
struct Idle {
    sandboxes: Vec<Sandbox>,
    /// Whether another build is in this one's place: then no process waits for more to do.
    is_retired: bool,
}

impl Pool {
    pub(crate) fn new(program: Program, memory_mb: u32, max_processes: NonZeroUsize) -> Self {
        let permits = Semaphore::new(max_processes.get().min(Semaphore::MAX_PERMITS));
        Self { program, memory_mb, permits, idle: Mutex::default() }
    }

    /// Whether its processes are started from this file.
    pub(crate) fn runs(&self, executable: &Path) -> bool {
        self.program.kept.as_ref().is_some_and(|kept| is_same_file(kept.path(), executable))
    }

    /// Runs an invocation, in its turn, and tells of it.
    pub(crate) async fn invoke(&self, task: &Task, admitted: Admitted) -> Result<Invocation, InvokeError> {
        let (function, request_id) = (&*self.program.function, &*task.request_id);
        let asked = Instant::now();
        let result = self.run(task, admitted).await;
        let took = asked.elapsed();
        match &result {
            Ok(invocation) => {
                let Invocation { failed, init_duration, .. } = invocation;
                tracing::debug!(function, request_id, ?took, failed, ?init_duration, "an invocation has run");
            }
            Err(error) => tracing::debug!(function, request_id, ?took, %error, "an invocation has not run"),
        }
        result
    }

    async fn run(&self, task: &Task, mut admitted: Admitted) -> Result<Invocation, InvokeError> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(InvokeError::ShuttingDown);
        };
        admitted.run().map_err(|reason| InvokeError::TooManyRequests { reason })?;
        while let Some(sandbox) = self.take_idle() {
            if let Some(result) = self.invoke_warm(sandbox, task).await {
                return result;
            }
        }
        self.invoke_cold(task).await
    }

    /// Kills the idle processes and lets no invocation begin. Those that run end by the program's own signal.
    pub(crate) async fn shut_down(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut self.idle().sandboxes);
        for mut sandbox in idle {
            sandbox.kill().await;
        }
    }

    /// Ends the processes that have nothing to do, and each of the others when it is done: no more will be asked of them.
    pub(crate) fn retire(&self) {
        let mut idle = self.idle();
        idle.is_retired = true;
        idle.sandboxes.clear();
    }

    /// Runs an invocation in a process that has run others; `None` where the process was lost before it took it.
    async fn invoke_warm(&self, mut sandbox: Sandbox, task: &Task) -> Option<Result<Invocation, InvokeError>> {
        if !sandbox.settle().await {
            return None;
        }
        sandbox.logs().begin(&task.request_id);
        let started = Instant::now();
        let timeout = self.program.timeout;
        let turn = sandbox.invoke(task, timeout, timeout).await;
        if let Turn::NotTaken(error) = turn {
            sandbox.logs().platform(format!("{}, the invocation goes to another process", error.message));
            return None;
        }
        Some(self.finish(sandbox, task, turn, started, None))
    }

    /// Runs an invocation in a new process.
    ///
    /// The process has ten seconds to ask for work. One that does not is killed, and a second one starts within the
    /// invocation's own time, as on Lambda. Lambda also starts a second one after a start that failed; here the first
    /// failure is the answer, since the second would be the same.
    async fn invoke_cold(&self, task: &Task) -> Result<Invocation, InvokeError> {
        if self.program.shutdown.is_cancelled() {
            return Err(InvokeError::ShuttingDown);
        }
        if let Start::Late(build) = &self.program.start {
            build.executable(&self.program.shutdown).await?;
        }
        let timeout = self.program.timeout;
        let started = Instant::now();
        let mut sandbox = match Sandbox::spawn(&self.program, &task.request_id).await {
            Ok(sandbox) => sandbox,
            Err(error) => return self.not_started(error, task),
        };
        let mut time_left = timeout;
        let mut initialised = sandbox.initialise(INIT_LIMIT).await;
        if let Err(InitFailure::TimedOut) = initialised {
            sandbox.logs().platform(format!(
                "INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: timeout",
                milliseconds(INIT_LIMIT)
            ));
            let again = Instant::now();
            sandbox = match Sandbox::spawn(&self.program, &task.request_id).await {
                Ok(sandbox) => sandbox,
                Err(error) => return self.not_started(error, task),
            };
            initialised = sandbox.initialise(timeout).await;
            time_left = timeout.saturating_sub(again.elapsed());
        }
        let init_duration = started.elapsed();
        sandbox.logs().begin(&task.request_id);
        let started = Instant::now();
        let turn = match initialised {
            Ok(()) => match sandbox.invoke(task, time_left, timeout).await {
                Turn::NotTaken(error) => Turn::Ended(error),
                turn => turn,
            },
            Err(InitFailure::TimedOut) => Turn::Ended(PlatformError::timed_out(timeout)),
            Err(InitFailure::Turn(turn)) => turn,
        };
        self.finish(sandbox, task, turn, started, Some(init_duration))
    }

    /// Ends an invocation: its last lines, its process back among the idle ones, its result.
    fn finish(
        &self,
        sandbox: Sandbox,
        task: &Task,
        turn: Turn,
        started: Instant,
        init_duration: Option<Duration>,
    ) -> Result<Invocation, InvokeError> {
        let id = &task.request_id;
        let duration = started.elapsed();
        let (payload, failed, status) = match turn {
            Turn::Answered(payload) => (payload, false, None),
            Turn::Failed(payload) => (payload, true, Some("Status: error".to_owned())),
            Turn::Ended(error) | Turn::NotTaken(error) => {
                sandbox.logs().platform(format!("RequestId: {id} Error: {}", error.message));
                let status = match error.error_type {
                    "Sandbox.Timedout" => "Status: timeout".to_owned(),
                    other => format!("Status: error\tError Type: {other}"),
                };
                (error.payload(id), true, Some(status))
            }
            Turn::ShuttingDown => return Err(InvokeError::ShuttingDown),
        };
        sandbox.logs().platform(format!("END RequestId: {id}"));
        let memory = sandbox.max_memory_mb();
        sandbox.logs().platform(self.report(id, duration, init_duration, memory, status));
        let log_tail = sandbox.logs().tail();
        self.put_idle(sandbox);
        Ok(Invocation {
            request_id: id.clone(),
            payload,
            failed,
            duration,
            init_duration,
            log_tail,
            trace_id: task.trace_id.clone(),
            executed_version: Arc::clone(&self.program.version),
        })
    }

    fn report(
        &self,
        id: &str,
        duration: Duration,
        init: Option<Duration>,
        memory: Option<u64>,
        status: Option<String>,
    ) -> String {
        let billed = duration.saturating_add(init.unwrap_or_default());
        let mut fields = vec![
            format!("REPORT RequestId: {id}"),
            format!("Duration: {:.2} ms", milliseconds(duration)),
            format!("Billed Duration: {:.0} ms", milliseconds(billed).ceil()),
            format!("Memory Size: {} MB", self.memory_mb),
        ];
        fields.extend(memory.map(|memory| format!("Max Memory Used: {memory} MB")));
        fields.extend(init.map(|init| format!("Init Duration: {:.2} ms", milliseconds(init))));
        fields.extend(status);
        fields.join("\t")
    }

    /// The end of an invocation whose process did not start.
    fn not_started(&self, error: SpawnError, task: &Task) -> Result<Invocation, InvokeError> {
        match error {
            SpawnError::Machine(error) => Err(InvokeError::Service {
                function: self.program.function.as_ref().to_owned(),
                reason: error.to_string(),
            }),
            SpawnError::Program(reason) => {
                tracing::error!(function = %self.program.function, "{reason}");
                Ok(Invocation {
                    request_id: task.request_id.clone(),
                    payload: PlatformError::invalid_entrypoint(&reason).payload(&task.request_id),
                    failed: true,
                    duration: Duration::ZERO,
                    init_duration: None,
                    log_tail: Bytes::from(format!("{reason}\n")),
                    trace_id: task.trace_id.clone(),
                    executed_version: Arc::clone(&self.program.version),
                })
            }
        }
    }

    /// A process that is there already: one that waits for work, else one that is about to.
    fn take_idle(&self) -> Option<Sandbox> {
        let sandboxes = &mut self.idle().sandboxes;
        sandboxes.retain_mut(Sandbox::is_alive);
        match sandboxes.iter_mut().rposition(Sandbox::is_ready) {
            Some(ready) => Some(sandboxes.remove(ready)),
            None => sandboxes.pop(),
        }
    }

    fn put_idle(&self, mut sandbox: Sandbox) {
        let mut idle = self.idle();
        if sandbox.is_alive() && !idle.is_retired && !self.program.shutdown.is_cancelled() {
            idle.sandboxes.push(sandbox);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
