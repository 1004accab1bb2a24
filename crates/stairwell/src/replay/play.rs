//! Plays a case: gives the core its recorded answers, and skips all waiting.

use std::{collections::BTreeMap, collections::VecDeque, sync::Arc};

use asl::{Fault, Machine, Value, compile::Code, machine::Resource};
use cloud::states::items::objects::Memory;
use engine::{
    Command, Execution, Happened, Identity, Outcome,
    core::{Call, TimerId},
    map_run::MapRun,
    mock::TestCase,
};
use time::{OffsetDateTime, macros::datetime};

use super::{
    case::{ExternalCall, RecordedExecution, TaskOutcome, TaskResult},
    recorded_runs::RecordedRuns,
    text::matches_loosely,
};

/// When a replayed execution begins whose recording does not say.
const START: OffsetDateTime = datetime!(2024-01-01 00:00 UTC);

/// What a recorder leaves in an input in place of a time that depends on when the execution was started.
pub(super) const MASKED_TIME: &str = "<timestamp>";

/// Why a case could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlayError {
    /// The definition or an answer needs something that is not supported yet.
    #[error("{0}")]
    NotSupported(String),
    /// The definition was refused.
    #[error("the definition is refused: {0}")]
    Refused(String),
    /// A call has no recorded answer.
    #[error("no recorded answer is left for a call of the state '{state}' with {input}")]
    NoAnswer {
        /// The Task state's name.
        state: Arc<str>,
        /// What would have been sent.
        input: Value,
    },
}

/// What is played.
#[derive(Clone, Copy)]
pub(super) struct Script<'a> {
    /// The definition.
    pub(super) definition: &'a Value,
    /// The execution's input.
    pub(super) input: &'a Value,
    /// What the recorded execution is called, where that is known.
    pub(super) execution: Option<&'a RecordedExecution>,
    /// The role that the recording names.
    pub(super) role_arn: &'a str,
    /// The answers of the outside world.
    pub(super) answers: &'a [TaskResult],
    /// What answers in their place, where it has something.
    pub(super) mocked: Option<&'a TestCase>,
    /// What somebody did while it ran.
    pub(super) external_calls: &'a [ExternalCall],
    /// The objects in S3, by their buckets and keys: `bucket/key`.
    pub(super) s3_objects: &'a BTreeMap<String, String>,
    /// The recorded history, which tells what came of Map Runs; empty where none was recorded.
    pub(super) events: &'a [Value],
}

/// Whether the recorder masked a time in an input.
pub(super) fn has_masked_time(input: &Value) -> bool {
    input.to_string().contains(MASKED_TIME)
}

/// Plays an execution until it ends, or waits for something that never comes.
pub(super) fn play(script: Script<'_>) -> Result<Execution, PlayError> {
    if has_masked_time(script.input) {
        return Err(PlayError::NotSupported(format!("the input lost a time to the placeholder {MASKED_TIME}")));
    }
    let machine = compile(script.definition)?;
    let identity = identity(&script);
    let start = identity.started_at;
    let mut execution = Execution::new(Arc::new(machine), Arc::new(identity));
    if script.answers.iter().any(|answer| answer.outcome == TaskOutcome::ScheduleFailed) {
        execution.ask_to_schedule();
    }
    let objects = objects(script.s3_objects);
    let answers = Answers { recorded: script.answers.iter().map(Some).collect(), mocked: script.mocked.cloned() };
    let mut player = Player::new(execution, start, &objects, answers);
    player.recorded_runs = Some(RecordedRuns::of(script.events, script.definition));
    player.stops = stops(script.external_calls)?;
    player.play()?;
    Ok(player.execution)
}

fn compile(definition: &Value) -> Result<Machine, PlayError> {
    Machine::compile(definition).map_err(|diagnostics| {
        let said = diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if diagnostics.iter().any(|diagnostic| diagnostic.code == Code::NotEmulated) {
            PlayError::NotSupported(said)
        } else {
            PlayError::Refused(said)
        }
    })
}

/// The names that the recording gives, or those that it has in their places.
fn identity(script: &Script<'_>) -> Identity {
    let named = placeholders(script);
    let Some(recorded) = script.execution else { return named };
    let last = |arn: &str| arn.rsplit(':').next().unwrap_or(arn).into();
    Identity {
        name: last(&recorded.arn),
        state_machine_name: last(&recorded.state_machine_arn),
        region: recorded.arn.split(':').nth(3).map_or(named.region, Into::into),
        arn: recorded.arn.as_str().into(),
        state_machine_arn: recorded.state_machine_arn.as_str().into(),
        role_arn: recorded.role_arn.as_str().into(),
        started_at: recorded.start_time,
        ..named
    }
}

fn placeholders(script: &Script<'_>) -> Identity {
    Identity {
        arn: "arn:aws:states:us-east-1:111111111111:execution:<ArnPart_0idx>:<ExecArnPart_0idx>".into(),
        name: "<ExecArnPart_0idx>".into(),
        state_machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:<ArnPart_0idx>".into(),
        state_machine_name: "<ArnPart_0idx>".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        revision: Arc::default(),
        role_arn: script.role_arn.into(),
        region: "us-east-1".into(),
        started_at: START,
        input: script.input.clone(),
        map_run_arn: None,
        item_count: None,
        trace_header: None,
        mocked: None,
        seed: 1,
    }
}

fn objects(described: &BTreeMap<String, String>) -> Memory {
    described.iter().fold(Memory::new(START), |objects, (name, text)| match name.split_once('/') {
        Some((bucket, key)) => objects.with_object(bucket, key, text.as_str()),
        None => objects.with_bucket(name),
    })
}

/// That somebody stops the execution.
struct Stop {
    fault: Fault,
    /// How many events the history has by then, at the least.
    after_event: usize,
}

fn stops(calls: &[ExternalCall]) -> Result<VecDeque<Stop>, PlayError> {
    let text = |call: &ExternalCall, key: &str| call.request.get(key).and_then(Value::as_str).map(Into::into);
    let mut stops = VecDeque::new();
    for call in calls {
        match call.op.as_str() {
            "stop_execution" => stops.push_back(Stop {
                fault: Fault { error: text(call, "error"), cause: text(call, "cause") },
                after_event: call.after_event,
            }),
            // What came of these is in the answers.
            "get_activity_task" | "send_task_success" | "send_task_failure" | "send_task_heartbeat" => {}
            other if only_looks(other) => {}
            other => {
                let what = format!("the call {other} during an execution is not emulated");
                return Err(PlayError::NotSupported(what));
            }
        }
    }
    Ok(stops)
}

/// Whether an operation changes nothing.
fn only_looks(operation: &str) -> bool {
    ["describe_", "list_", "get_execution_history"].iter().any(|prefix| operation.starts_with(prefix))
}

/// What the outside world answers.
#[derive(Default)]
pub(super) struct Answers<'a> {
    /// The recorded answers that were not given yet.
    recorded: Vec<Option<&'a TaskResult>>,
    /// What answers in their place, where it has something.
    mocked: Option<TestCase>,
}

/// An execution on a clock that jumps.
pub(super) struct Player<'a> {
    pub(super) execution: Execution,
    pub(super) now: OffsetDateTime,
    /// S3.
    pub(super) objects: &'a Memory,
    /// What the recording tells of Map Runs; of those that child executions begin it tells nothing.
    pub(super) recorded_runs: Option<RecordedRuns<'a>>,
    /// Map Runs that were asked for and not carried out yet.
    runs: VecDeque<Arc<MapRun>>,
    /// Calls that were asked for and not answered yet.
    calls: VecDeque<Call>,
    /// Timers by when they fire; those of one moment in the order in which they were set.
    timers: BTreeMap<OffsetDateTime, VecDeque<TimerId>>,
    pub(super) answers: Answers<'a>,
    stops: VecDeque<Stop>,
}

impl<'a> Player<'a> {
    pub(super) fn new(execution: Execution, now: OffsetDateTime, objects: &'a Memory, answers: Answers<'a>) -> Self {
        Self {
            execution,
            now,
            objects,
            recorded_runs: None,
            runs: VecDeque::new(),
            calls: VecDeque::new(),
            timers: BTreeMap::new(),
            answers,
            stops: VecDeque::new(),
        }
    }

    pub(super) fn play(&mut self) -> Result<(), PlayError> {
        self.step(Happened::Started);
        while !self.execution.has_ended() {
            if let Some(call) = self.calls.pop_front() {
                self.answer(&call)?;
            } else if let Some(run) = self.runs.pop_front() {
                self.carry_out(&run)?;
            } else if let Some(stop) = self.next_stop() {
                self.step(Happened::StopRequested { fault: stop.fault });
            } else if let Some(timer) = self.next_timer() {
                self.step(Happened::TimerFired { timer });
            } else {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn step(&mut self, happened: Happened) {
        for command in self.execution.step(happened, self.now) {
            match command {
                Command::StartTask(call) => self.calls.push_back(call),
                Command::CancelTask { call } => self.calls.retain(|waiting| waiting.id != call),
                Command::StartMapRun(run) => self.runs.push_back(run),
                Command::CancelMapRun { run } => self.runs.retain(|waiting| waiting.id != run),
                Command::SetTimer { timer, at } => self.timers.entry(at).or_default().push_back(timer),
            }
        }
    }

    /// Takes the stop that is due: the history has got as far, or goes no further.
    fn next_stop(&mut self) -> Option<Stop> {
        let stop = self.stops.front()?;
        let is_due = self.execution.history().len() >= stop.after_event || self.timers.is_empty();
        if is_due { self.stops.pop_front() } else { None }
    }

    /// Takes the timer that fires first, and makes it that time.
    fn next_timer(&mut self) -> Option<TimerId> {
        let mut first = self.timers.first_entry()?;
        let timer = first.get_mut().pop_front();
        self.now = self.now.max(*first.key());
        if first.get().is_empty() {
            first.remove();
        }
        timer
    }

    fn answer(&mut self, call: &Call) -> Result<(), PlayError> {
        let id = call.id;
        if let Some(mocked) = self.answers.mocked.as_mut().filter(|mocked| mocked.mocks(&call.state)) {
            let answer = mocked.answer(&call.state, &call.resource);
            self.give_mocked(call, answer);
            return Ok(());
        }
        let Some(result) = self.take_answer(call) else {
            return match &call.resource {
                // Of an activity nothing can be recorded if it does not exist.
                Resource::Activity { arn } => {
                    let cause = format!("The activity {arn} does not exist.").into();
                    self.step(Happened::TaskRefused { call: id, cause });
                    Ok(())
                }
                _ => Err(PlayError::NoAnswer { state: call.state.clone(), input: call.input.clone() }),
            };
        };
        if result.outcome != TaskOutcome::ScheduleFailed {
            self.step(Happened::TaskScheduled { call: id });
        }
        if result.started {
            let worker = result.worker_name.as_deref().map(Into::into);
            self.step(Happened::TaskStarted { call: id, worker });
        }
        if let Some(output) = &result.submitted_output {
            self.step(Happened::TaskSubmitted { call: id, output: output.clone() });
        }
        match result.outcome {
            TaskOutcome::Succeeded => self.step(Happened::TaskSucceeded { call: id, output: result.output() }),
            TaskOutcome::Failed
            | TaskOutcome::StartFailed
            | TaskOutcome::SubmitFailed
            | TaskOutcome::ScheduleFailed => {
                self.step(Happened::TaskFailed { call: id, fault: result.fault() });
            }
            // The time-out is the execution's own timer.
            TaskOutcome::TimedOut => {}
        }
        Ok(())
    }

    fn give_mocked(&mut self, call: &Call, answer: Result<Value, Fault>) {
        let id = call.id;
        self.step(Happened::TaskScheduled { call: id });
        self.step(Happened::TaskStarted { call: id, worker: None });
        // Nothing is handed in: the mocked end stands for what was answered to that, too. An error is how the work ends, and
        // not that it could not be handed in.
        self.step(Happened::TaskSubmitted { call: id, output: answer.clone().unwrap_or_default() });
        self.step(match answer {
            Ok(output) => Happened::TaskSucceeded { call: id, output },
            Err(fault) => Happened::TaskFailed { call: id, fault },
        });
    }

    /// The first answer left for the call's state and to the same request, since iterations of a Map state call in any
    /// order; else the first for the state. Where answers name no state, the first to the same request.
    fn take_answer(&mut self, call: &Call) -> Option<&'a TaskResult> {
        let is_same = |result: &TaskResult| matches_loosely(&result.request, &call.input);
        let is_of_state = |result: &TaskResult| result.state.as_deref() == Some(&*call.state);
        let position = |fits: &dyn Fn(&TaskResult) -> bool| {
            self.answers.recorded.iter().position(|answer| answer.is_some_and(fits))
        };
        let found = position(&|result| is_of_state(result) && is_same(result))
            .or_else(|| position(&is_of_state))
            .or_else(|| position(&|result| result.state.is_none() && is_same(result)))?;
        self.answers.recorded.get_mut(found)?.take()
    }
}

/// The service's name for how an execution ended; `RUNNING` for one that has not.
pub(super) fn status(execution: &Execution) -> &'static str {
    match execution.outcome() {
        None => "RUNNING",
        Some(Outcome::Succeeded(_)) => "SUCCEEDED",
        Some(Outcome::Failed(_)) => "FAILED",
        Some(Outcome::TimedOut(_)) => "TIMED_OUT",
        Some(Outcome::Aborted(_)) => "ABORTED",
    }
}
