//! What Task states ask for: functions, activities, other executions.

mod execution;
mod function;
mod response;

use std::sync::{Arc, OnceLock, Weak};

use asl::{
    Fault, Value,
    machine::{Pattern, Resource},
};
use engine::{
    Identity,
    core::{Call, Progress},
    run::{Answer, CallError, Clock, Outside, Reports},
};

pub use function::CallerOf;

use super::{Activities, States, TaskTokens, task_tokens::Waiting};
use crate::lambda::Lambda;
use execution::{Starter, Texts};
use function::{Caller, Functions};

/// Carries out the calls of Task states.
pub struct Tasks {
    functions: Functions,
    activities: Arc<Activities>,
    tokens: Arc<TaskTokens>,
    clock: Clock,
    states: OnceLock<Weak<States>>,
}

/// What a service's action is, of those that can be called here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `lambda:invoke`
    Invoke,
    /// `states:startExecution`
    StartExecution(Sync),
}

/// How `startExecution` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Not for the end.
    No,
    /// `.sync`
    First,
    /// `.sync:2`
    Second,
}

impl Action {
    /// The action of a service, without `.waitForTaskToken`; nothing for one that is not here.
    pub(super) fn of(service: &str, action: &str) -> Option<Self> {
        let (name, pattern) = action.split_once('.').unwrap_or((action, ""));
        match (service, name, pattern) {
            ("lambda", "invoke", "" | "waitForTaskToken") => Some(Self::Invoke),
            ("states", "startExecution", "" | "waitForTaskToken") => Some(Self::StartExecution(Sync::No)),
            ("states", "startExecution", "sync") => Some(Self::StartExecution(Sync::First)),
            ("states", "startExecution", "sync:2") => Some(Self::StartExecution(Sync::Second)),
            _ => None,
        }
    }
}

impl Tasks {
    /// Calls these functions and activities, in this time.
    pub fn new(lambda: Arc<Lambda>, activities: Arc<Activities>, tokens: Arc<TaskTokens>, clock: Clock) -> Self {
        Self { functions: Functions::new(lambda), activities, tokens, clock, states: OnceLock::new() }
    }

    /// Where executions are started. Given once, after [`States`] has this.
    pub fn connect(&self, states: &Arc<States>) {
        let _ = self.states.set(Arc::downgrade(states));
    }

    /// The state that an invocation under way is for.
    pub fn caller_of(&self, request_id: &str) -> Option<CallerOf> {
        self.functions.caller_of(request_id)
    }

    fn service(&self, execution: &Identity, call: Call, action: Action, pattern: Pattern, reports: Reports) -> Answer {
        let (caller, starter) = (Caller::of(execution, &call), Starter::of(execution, &call));
        // Waits before the call is made: whoever gets the token may use it at once.
        let waiting = call.token.map(|token| self.tokens.wait(token, reports.clone()));
        let states = self.states.get().cloned().unwrap_or_default();
        let (input, progress) = (call.input, call.progress);
        match action {
            Action::StartExecution(Sync::First | Sync::Second) => {
                let texts = if action == Action::StartExecution(Sync::First) { Texts::Kept } else { Texts::Parsed };
                Box::pin(async move {
                    let _waiting = waiting;
                    let running = match progress {
                        Progress::Submitted(answer) => execution::find(&states, &answer)?,
                        _ => {
                            let (running, answer) = execution::start(&states, &input, &starter)?;
                            reports.submitted(answer).await;
                            running
                        }
                    };
                    Ok(execution::end(running, texts).await?)
                })
            }
            Action::StartExecution(Sync::No) => {
                let calling = async move { execution::start(&states, &input, &starter).map(|(_, answer)| answer) };
                finish(calling, waiting, pattern, progress, reports)
            }
            Action::Invoke => finish(self.functions.invoke_action(caller, &input), waiting, pattern, progress, reports),
        }
    }

    fn activity(&self, call: Call, reports: Reports) -> Answer {
        let Some(token) = call.token else {
            return Box::pin(async { Err(CallError::Refused("The task has no token.".into())) });
        };
        let waiting = self.tokens.wait(token.clone(), reports.clone());
        if call.progress == Progress::Started {
            return Box::pin(by_token(Some(waiting)));
        }
        let scheduled = self.activities.schedule(call.resource.arn(), token, call.input);
        Box::pin(async move {
            let taken = scheduled.map_err(|error| CallError::Refused(error.to_string().into()))?;
            reports.scheduled().await;
            if let Ok(taken) = taken.await {
                reports.started(taken.worker_name).await;
            }
            by_token(Some(waiting)).await
        })
    }
}

impl Outside for Tasks {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn call(&self, execution: &Arc<Identity>, call: Call, reports: Reports) -> Answer {
        match &call.resource {
            Resource::Function { arn } => {
                let calling = self.functions.call(Caller::of(execution, &call), arn, &call.input);
                Box::pin(async move { Ok(calling.await?) })
            }
            Resource::Activity { .. } => self.activity(call, reports),
            Resource::Service { arn, service, action, pattern } => match Action::of(service, action) {
                Some(action) => {
                    let pattern = *pattern;
                    self.service(execution, call, action, pattern, reports)
                }
                // Definitions are held to what is here when they are loaded.
                None => {
                    let cause = format!("The service integration '{arn}' is not supported yet.");
                    Box::pin(async move { Err(Fault::runtime(cause).into()) })
                }
            },
        }
    }
}

/// Makes a call and gives its answer; or hands work in by it, once, and gives what comes by the token.
fn finish(
    calling: impl Future<Output = Result<Value, Fault>> + Send + 'static,
    waiting: Option<Waiting>,
    pattern: Pattern,
    progress: Progress,
    reports: Reports,
) -> Answer {
    Box::pin(async move {
        if pattern != Pattern::WaitForTaskToken {
            return Ok(calling.await?);
        }
        if !matches!(progress, Progress::Submitted(_)) {
            let answer = calling.await?;
            reports.submitted(answer).await;
        }
        by_token(waiting).await
    })
}

/// Waits while somebody with the token may end the task. That is told to the execution, which gives this up.
async fn by_token(_waiting: Option<Waiting>) -> Result<Value, CallError> {
    std::future::pending().await
}
