//! Task states: calls, their answers, their time-outs.

use std::{sync::Arc, time::Duration};

use asl::{
    Fault, FieldError, PAYLOAD_LIMIT, Value,
    fault::names,
    machine::{Kind, Pattern, Resource, State, Task},
    retry::Origin,
};

use super::{
    Call, CallId, Command, Execution, Progress, TimerId,
    branch::{BranchId, Next, Pending, Visit, WaitsFor},
    context::Surroundings,
    exit::too_large,
    parameters, values,
};
use crate::{
    history::{EventKind, Limits, TaskType},
    task_token,
};

impl Execution {
    pub(super) fn schedule(
        &mut self,
        id: BranchId,
        visit: &Visit,
        state: &State,
        task: &Task,
    ) -> Result<(), FieldError> {
        let token = task.resource.has_token().then(|| self.new_token(id));
        let with_token = |around| Surroundings { task_token: token.clone(), ..around };
        let (input, limits) = self.evaluate_in(id, with_token, |scope, state| {
            let selected = state.flow.selected_input(scope)?;
            let inner = scope.with_input(&selected);
            let seconds =
                |count: &Option<_>| count.as_ref().map(|count| values::task_seconds(count, &inner)).transpose();
            let (timeout, heartbeat) = (seconds(&task.timeout)?, seconds(&task.heartbeat)?);
            let input = state.flow.effective_input(scope)?;
            parameters::check(&task.resource, &input)?;
            let credentials = task.credentials.as_ref().map(|credentials| credentials.fill(&inner)).transpose()?;
            let role_arn = credentials.and_then(|credentials| match credentials.get("RoleArn")? {
                Value::String(arn) => Some(arn.clone()),
                _ => None,
            });
            Ok((input, Limits { timeout_in_seconds: timeout, heartbeat_in_seconds: heartbeat, role_arn }))
        })?;
        let call = Call {
            id: CallId { branch: id, number: self.new_number() },
            state: state.name.clone(),
            resource: task.resource.clone(),
            input,
            retry_count: visit.retry_count(),
            token,
            role_arn: limits.role_arn.clone(),
            progress: Progress::Requested,
        };
        self.commands.push(Command::StartTask(call.clone()));
        let id_of_call = call.id;
        let pending = Pending { call, limits, timeout: None, heartbeat: None, end: None };
        if let Some(branch) = self.branches.get_mut(id) {
            branch.waits_for = Some(WaitsFor::Call(Box::new(pending)));
        }
        // Whether an activity exists is for the outside to say; everything else is taken.
        if !self.asks_to_schedule && !matches!(task.resource, Resource::Activity { .. }) {
            self.task_scheduled(id_of_call);
        }
        Ok(())
    }

    /// The token of the branch's next call: text that nobody guesses who does not know the seed, other tokens or not. The
    /// same execution makes it again when it is replayed.
    fn new_token(&self, branch: BranchId) -> Arc<str> {
        let call = CallId { branch, number: self.next_number };
        let secret = [&self.identity.seed.to_be_bytes(), self.identity.arn.as_bytes()].concat();
        task_token::make(call.hashed_with(&secret)).into()
    }

    pub(super) fn task_refused(&mut self, call: CallId, cause: &str) {
        let Some(id) = self.answered(call) else { return };
        let refused = self.evaluate::<()>(id, |_, _| Err(Fault::runtime(cause).into()));
        if let Err(error) = refused {
            self.handle(id, error.fault, Origin::Task);
        }
        self.ready.push_back(id);
    }

    pub(super) fn task_scheduled(&mut self, call: CallId) {
        let region = self.identity.region.clone();
        let Some(pending) = self.branches.pending_mut(call) else { return };
        pending.call.progress = Progress::Scheduled;
        let limits = pending.limits.clone();
        let kind = scheduled(&pending.call, limits.clone(), &region);
        self.append_to(call.branch, kind);
        let timeout = limits.timeout_in_seconds;
        let timeout = timeout.and_then(|seconds| self.set_timer(call.branch, Duration::from_secs(seconds)));
        if let Some(pending) = self.branches.pending_mut(call) {
            pending.timeout = timeout;
        }
    }

    pub(super) fn task_started(&mut self, call: CallId, worker: Option<Arc<str>>) {
        self.advance_call(call, Progress::Started, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionStarted,
            Resource::Activity { .. } => EventKind::ActivityStarted { worker },
            Resource::Service { .. } => EventKind::TaskStarted(task_type(resource)),
        });
        self.task_heartbeat(call);
    }

    pub(super) fn task_submitted(&mut self, call: CallId, output: Value) {
        self.advance_call(call, Progress::Submitted(output.clone()), |resource| EventKind::TaskSubmitted {
            task: task_type(resource),
            output,
        });
    }

    /// The time until the next heartbeat begins anew.
    pub(super) fn task_heartbeat(&mut self, call: CallId) {
        let pending = self.branches.pending_call(call);
        let Some(seconds) = pending.and_then(|pending| pending.limits.heartbeat_in_seconds) else { return };
        let timer = self.set_timer(call.branch, Duration::from_secs(seconds));
        if let Some(pending) = self.branches.pending_mut(call) {
            pending.heartbeat = timer;
        }
    }

    /// An end that comes by the token. It may come while the work is still being handed in, or taken.
    pub(super) fn task_ended(&mut self, call: CallId, end: Result<Value, Fault>) {
        let Some(pending) = self.branches.pending_mut(call) else { return };
        let was_handed_in = match pending.call.progress {
            Progress::Requested | Progress::Scheduled => false,
            Progress::Started => !pending.call.resource.is_submitted(),
            Progress::Submitted(_) => true,
        };
        if !was_handed_in {
            pending.end = Some(end);
            return;
        }
        self.commands.push(Command::CancelTask { call });
        match end {
            Ok(output) => self.task_succeeded(call, &output),
            Err(fault) => self.task_failed(call, fault),
        }
    }

    pub(super) fn task_succeeded(&mut self, call: CallId, output: &Value) {
        if output.text_len(PAYLOAD_LIMIT) > PAYLOAD_LIMIT {
            let Some(pending) = self.branches.pending_call(call) else { return };
            let name = match &pending.call.resource {
                Resource::Function { arn } | Resource::Activity { arn } => arn.clone(),
                Resource::Service { service, .. } => service.clone(),
            };
            self.task_failed(call, too_large(&name));
            return;
        }
        let Some(id) = self.answered(call) else { return };
        self.append_task_event(id, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionSucceeded { output: output.clone() },
            Resource::Activity { .. } => EventKind::ActivitySucceeded { output: output.clone() },
            Resource::Service { .. } => EventKind::TaskSucceeded { task: task_type(resource), output: output.clone() },
        });
        self.finish(id, output);
        self.ready.push_back(id);
    }

    pub(super) fn task_failed(&mut self, call: CallId, fault: Fault) {
        let Some(progress) = self.branches.pending_call(call).map(|pending| pending.call.progress.clone()) else {
            return;
        };
        let Some(id) = self.answered(call) else { return };
        self.append_task_event(id, |resource| failed(resource, &progress, fault.clone()));
        self.handle(id, fault, Origin::Task);
        self.ready.push_back(id);
    }

    /// A timer's time has come.
    ///
    /// Where a branch fails by that, all that is due by then happens before anybody is given up for it: so nothing depends on
    /// which of several timers is told first.
    pub(super) fn timer_fired(&mut self, timer: TimerId) {
        let Some(timer) = self.branches.timer(timer) else { return };
        self.fire(timer.id);
        if self.branches.fails(timer.id.branch) {
            let mut due: Vec<_> = self.branches.timers().filter(|other| other.at <= timer.at).collect();
            due.sort_unstable_by_key(|due| (due.at, due.id.number));
            for due in due {
                self.fire(due.id);
            }
        }
    }

    fn fire(&mut self, timer: TimerId) {
        let id = timer.branch;
        if self.branches.timer(timer).is_none() {
            return;
        }
        let Some(branch) = self.branches.get_mut(id) else { return };
        match branch.waits_for.take() {
            Some(WaitsFor::Call(pending)) => {
                let is_heartbeat = pending.heartbeat.is_some_and(|heartbeat| heartbeat.id == timer);
                let origin = if is_heartbeat { Origin::Heartbeat } else { Origin::Task };
                self.task_timed_out(id, pending.call.id, origin);
            }
            Some(WaitsFor::Wait(_)) => self.wait_over(id),
            Some(WaitsFor::Retry(_)) => {
                branch.wreckage = None;
                branch.next = Some(Next::Work);
            }
            fork => branch.waits_for = fork,
        }
        self.goes_on(id);
    }

    fn task_timed_out(&mut self, id: BranchId, call: CallId, origin: Origin) {
        self.commands.push(Command::CancelTask { call });
        let fault = Fault::named(names::TIMEOUT);
        self.append_task_event(id, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionTimedOut(fault.clone()),
            Resource::Activity { .. } => EventKind::ActivityTimedOut(fault.clone()),
            Resource::Service { .. } => EventKind::TaskTimedOut(task_type(resource), fault.clone()),
        });
        self.handle(id, fault, origin);
    }

    /// The branch that waits for this call, which from now on it does not.
    fn answered(&mut self, call: CallId) -> Option<BranchId> {
        self.branches.pending_call(call)?;
        self.branches.get_mut(call.branch)?.waits_for = None;
        Some(call.branch)
    }

    /// A call that is waited for has come further, which is written.
    fn advance_call(&mut self, call: CallId, progress: Progress, kind: impl FnOnce(&Resource) -> EventKind) {
        let Some(pending) = self.branches.pending_mut(call) else { return };
        pending.call.progress = progress;
        let kind = kind(&pending.call.resource);
        let end = pending.end.take();
        self.append_to(call.branch, kind);
        if let Some(end) = end {
            self.task_ended(call, end);
        }
    }

    fn append_task_event(&mut self, id: BranchId, kind: impl FnOnce(&Resource) -> EventKind) {
        let Some((graph, visit)) = self.at(id) else { return };
        if let Kind::Task(task) = &graph.state(visit.state).kind {
            self.append_to(id, kind(&task.resource));
        }
    }

    /// Writes an event that the branch's next one follows.
    pub(super) fn append_to(&mut self, id: BranchId, kind: EventKind) {
        let Some(previous) = self.branches.get(id).map(|branch| branch.last_event) else { return };
        let event = self.append(previous, kind);
        if let Some(branch) = self.branches.get_mut(id) {
            branch.last_event = event;
        }
    }
}

fn task_type(resource: &Resource) -> TaskType {
    match resource {
        Resource::Service { service, action, .. } => {
            TaskType { resource_type: service.clone(), resource: action.clone() }
        }
        Resource::Function { arn } => TaskType { resource_type: "lambda".into(), resource: arn.clone() },
        Resource::Activity { arn } => TaskType { resource_type: "activity".into(), resource: arn.clone() },
    }
}

fn scheduled(call: &Call, limits: Limits, region: &Arc<str>) -> EventKind {
    let input = call.input.clone();
    match &call.resource {
        Resource::Function { arn } => EventKind::LambdaFunctionScheduled { resource: arn.clone(), input, limits },
        Resource::Activity { arn } => EventKind::ActivityScheduled { resource: arn.clone(), input, limits },
        Resource::Service { .. } => EventKind::TaskScheduled {
            task: task_type(&call.resource),
            region: region.clone(),
            parameters: input,
            limits,
        },
    }
}

/// How a failure is written, by how far the call had come.
fn failed(resource: &Resource, progress: &Progress, fault: Fault) -> EventKind {
    let has_started = matches!(progress, Progress::Started | Progress::Submitted(_));
    match resource {
        Resource::Function { .. } if has_started => EventKind::LambdaFunctionFailed(fault),
        Resource::Function { .. } if *progress == Progress::Requested => EventKind::LambdaFunctionScheduleFailed(fault),
        Resource::Function { .. } => EventKind::LambdaFunctionStartFailed(fault),
        Resource::Activity { .. } if has_started => EventKind::ActivityFailed(fault),
        Resource::Activity { .. } => EventKind::ActivityScheduleFailed(fault),
        Resource::Service { pattern, .. } => {
            let task = task_type(resource);
            match (progress, pattern) {
                (Progress::Requested | Progress::Scheduled, _) => EventKind::TaskStartFailed(task, fault),
                (Progress::Started, Pattern::Sync | Pattern::WaitForTaskToken) => {
                    EventKind::TaskSubmitFailed(task, fault)
                }
                _ => EventKind::TaskFailed(task, fault),
            }
        }
    }
}
