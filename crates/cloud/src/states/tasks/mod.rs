//! What Task states ask for: functions, activities, other executions.

mod action;
mod execution;
mod function;
mod http;
mod mocks;
mod response;
mod service;

use std::sync::{Arc, OnceLock, Weak};

use asl::{
    Fault, Value,
    machine::{Pattern, Resource},
};
use engine::{
    Identity,
    core::{Call, Progress},
    mock::MockConfig,
    run::{Answer, CallError, Clock, Outside, Reports},
};

pub(super) use action::Action;
pub use function::CallerOf;
pub use service::{Called, call_service};

use super::{Activities, States, TaskTokens, task_tokens::Waiting};
use crate::{lambda::Lambda, service::Service};
use action::Sync;
use execution::{Starter, Texts};
use function::{Caller, Functions};
use mocks::Mocks;
use service::Services;

/// Carries out the calls of Task states.
pub struct Tasks {
    functions: Functions,
    activities: Arc<Activities>,
    tokens: Arc<TaskTokens>,
    clock: Clock,
    states: OnceLock<Weak<States>>,
    services: Services,
    mocks: Option<Mocks>,
    /// Whether HTTP tasks may call addresses beyond this machine.
    network: bool,
}

impl Tasks {
    /// Calls these functions and activities, in this time.
    pub fn new(lambda: Arc<Lambda>, activities: Arc<Activities>, tokens: Arc<TaskTokens>, clock: Clock) -> Self {
        Self {
            functions: Functions::new(lambda),
            activities,
            tokens,
            clock,
            states: OnceLock::new(),
            services: Services::default(),
            mocks: None,
            network: false,
        }
    }

    /// The same, with mocks that answer for executions that were started with a test case.
    #[must_use]
    pub fn with_mocks(self, mocks: Option<Arc<MockConfig>>) -> Self {
        Self { mocks: mocks.map(Mocks::new), ..self }
    }

    /// The same, with HTTP tasks that may call addresses beyond this machine, or may not.
    #[must_use]
    pub fn with_network(self, network: bool) -> Self {
        Self { network, ..self }
    }

    /// Where executions are started. Given once, after [`States`] has this.
    pub fn connect(&self, states: &Arc<States>) {
        let _ = self.states.set(Arc::downgrade(states));
    }

    /// Where services are called. Given once, after they have this.
    pub fn connect_services(&self, services: &Arc<impl Service>) {
        self.services.connect(services);
    }

    /// The state that an invocation under way is for.
    pub fn caller_of(&self, request_id: &str) -> Option<CallerOf> {
        self.functions.caller_of(request_id)
    }

    fn service(&self, execution: &Identity, call: Call, action: Action, pattern: Pattern, reports: Reports) -> Answer {
        let progress = call.progress.clone();
        // Waits before the call is made: whoever gets the token may use it at once.
        let waiting = call.token.clone().map(|token| self.tokens.wait(token, reports.clone()));
        let states = self.states.get().cloned().unwrap_or_default();
        match action {
            Action::StartExecution(Sync::First) => {
                synchronous(states, Starter::of(execution, &call), call, Texts::Kept, waiting, reports)
            }
            Action::StartExecution(Sync::Second) => {
                synchronous(states, Starter::of(execution, &call), call, Texts::Parsed, waiting, reports)
            }
            Action::StartExecution(Sync::No) => {
                let starter = Starter::of(execution, &call);
                let calling = async move { execution::start(&states, &call.input, &starter).map(|(_, answer)| answer) };
                finish(calling, waiting, pattern, progress, reports)
            }
            Action::Invoke => {
                let calling = self.functions.invoke_action(Caller::of(execution, &call), &call.input);
                finish(calling, waiting, pattern, progress, reports)
            }
            Action::Call(operation) => {
                let calling = self.services.call(operation, execution, &call);
                finish(calling, waiting, pattern, progress, reports)
            }
            Action::Http(endpoint, operation) => {
                let calling = http::call(endpoint, &operation, execution, &call, &self.services, self.network);
                finish(calling, waiting, pattern, progress, reports)
            }
            Action::Elsewhere => {
                let cause = format!("The service of '{}' is not emulated: mock the call.", call.resource.arn());
                Box::pin(async move { Err(Fault::runtime(cause).into()) })
            }
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
        let was_scheduled = call.progress == Progress::Scheduled;
        let scheduled = self.activities.schedule(call.resource.arn(), token, call.input);
        Box::pin(async move {
            match scheduled {
                Ok(taken) => {
                    reports.scheduled().await;
                    if let Ok(taken) = taken.await {
                        reports.started(taken.worker_name).await;
                    }
                }
                // A task waits on whose activity is deleted. That the runner was started again since changes nothing.
                Err(_) if was_scheduled => {}
                Err(error) => return Err(CallError::Refused(error.to_string().into())),
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
        if execution.mocked.is_some() {
            let Some(mocks) = &self.mocks else {
                let cause = "The execution was started with mocks, which are not there any more.";
                return Box::pin(async move { Err(Fault::runtime(cause).into()) });
            };
            if let Some(answer) = mocks.answer(execution, &call, &reports) {
                return answer;
            }
        }
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
                // Definitions are held to what there is when they are loaded.
                None => {
                    let cause = format!("The resource provided {arn} is not recognized.");
                    Box::pin(async move { Err(Fault::runtime(cause).into()) })
                }
            },
        }
    }
}

/// Starts an execution, once, and gives its end.
fn synchronous(
    states: Weak<States>,
    starter: Starter,
    call: Call,
    texts: Texts,
    waiting: Option<Waiting>,
    reports: Reports,
) -> Answer {
    Box::pin(async move {
        let _waiting = waiting;
        let running = match &call.progress {
            Progress::Submitted(answer) => execution::find(&states, answer)?,
            _ => {
                let (running, answer) = execution::start(&states, &call.input, &starter)?;
                reports.submitted(answer).await;
                running
            }
        };
        Ok(execution::end(running, texts).await?)
    })
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
