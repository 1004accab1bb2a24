//! Task states: calls, their answers, their time-outs.

use std::time::Duration;

use asl::{
    Fault, PAYLOAD_LIMIT, Value,
    fault::names,
    machine::{Kind, Resource, State, Task},
    retry::Origin,
};

use super::{
    Call, CallId, Command, Execution, TimerId,
    branch::{BranchId, Next, Visit, WaitsFor},
    dataflow, parameters,
    states::{ResultShape, too_large},
};
use crate::history::{EventKind, TaskType};

impl Execution {
    pub(super) fn schedule(&mut self, id: BranchId, visit: &Visit, state: &State, task: &Task) -> Result<(), Fault> {
        let (input, timeout) = self.evaluate(id, |scope| {
            let selected = dataflow::select(&task.io.input_path, scope)?;
            let scope = scope.with_input(&selected);
            let seconds = |count| dataflow::count(count, "TimeoutSecondsPath", &scope);
            let timeout = task.timeout.as_ref().map(seconds).transpose()?;
            let input = dataflow::fill(task.parameters.as_ref(), &scope)?;
            parameters::check(&task.resource, &input)?;
            Ok((input, timeout))
        })?;
        let call = CallId { branch: id, number: self.new_number() };
        self.append_to(id, scheduled(&task.resource, &input, timeout, &self.identity.region));
        let timeout = timeout.map(|seconds| self.set_timer(id, Duration::from_secs(seconds)));
        if let Some(branch) = self.branches.get_mut(id) {
            branch.waits_for = Some(WaitsFor::Call { call, timeout });
        }
        self.commands.push(Command::StartTask(Call {
            id: call,
            state: state.name.clone(),
            resource: task.resource.clone(),
            input,
            retry_count: visit.retry_count(),
        }));
        Ok(())
    }

    pub(super) fn task_started(&mut self, call: CallId) {
        let Some(id) = self.branches.waiting_for_call(call) else { return };
        self.append_task_event(id, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionStarted,
            Resource::Service { .. } => EventKind::TaskStarted(task_type(resource)),
        });
    }

    pub(super) fn task_succeeded(&mut self, call: CallId, output: &Value) {
        if output.text_len(PAYLOAD_LIMIT) > PAYLOAD_LIMIT {
            let Some(id) = self.branches.waiting_for_call(call) else { return };
            let Some(resource) = self.resource(id) else { return };
            let name = match &resource {
                Resource::Function { arn } => arn.clone(),
                Resource::Service { service, .. } => service.clone(),
            };
            self.task_failed(call, too_large(&name));
            return;
        }
        let Some(id) = self.answered(call) else { return };
        self.append_task_event(id, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionSucceeded { output: output.clone() },
            Resource::Service { .. } => EventKind::TaskSucceeded { task: task_type(resource), output: output.clone() },
        });
        let Some((graph, visit)) = self.at(id) else { return };
        let Kind::Task(task) = &graph.state(visit.state).kind else { return };
        let shape = ResultShape {
            io: &task.io,
            result_selector: task.result_selector.as_ref(),
            result_path: &task.result_path,
        };
        self.finish(id, output, &shape, task.transition);
        self.ready.push_back(id);
    }

    pub(super) fn task_failed(&mut self, call: CallId, fault: Fault) {
        let Some(id) = self.answered(call) else { return };
        self.append_task_event(id, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionFailed(fault.clone()),
            Resource::Service { .. } => EventKind::TaskFailed(task_type(resource), fault.clone()),
        });
        self.handle(id, fault, Origin::Task);
        self.ready.push_back(id);
    }

    pub(super) fn timer_fired(&mut self, timer: TimerId) {
        let Some(id) = self.branches.waiting_for_timer(timer) else { return };
        let Some(branch) = self.branches.get_mut(id) else { return };
        match branch.waits_for.take() {
            Some(WaitsFor::Call { call, .. }) => self.task_timed_out(id, call),
            Some(WaitsFor::Wait(_)) => self.wait_over(id),
            Some(WaitsFor::Retry(_)) => branch.next = Some(Next::Work),
            fork => branch.waits_for = fork,
        }
        self.ready.push_back(id);
    }

    fn task_timed_out(&mut self, id: BranchId, call: CallId) {
        self.commands.push(Command::CancelTask { call });
        let fault = Fault::named(names::TIMEOUT);
        self.append_task_event(id, |resource| match resource {
            Resource::Function { .. } => EventKind::LambdaFunctionTimedOut(fault.clone()),
            Resource::Service { .. } => EventKind::TaskTimedOut(task_type(resource), fault.clone()),
        });
        self.handle(id, fault, Origin::Task);
    }

    /// The branch that waits for this call, which from now on it does not.
    fn answered(&mut self, call: CallId) -> Option<BranchId> {
        let id = self.branches.waiting_for_call(call)?;
        self.branches.get_mut(id)?.waits_for = None;
        Some(id)
    }

    fn resource(&self, id: BranchId) -> Option<Resource> {
        match &self.branches.get(id)?.state()?.kind {
            Kind::Task(task) => Some(task.resource.clone()),
            _ => None,
        }
    }

    fn append_task_event(&mut self, id: BranchId, kind: impl FnOnce(&Resource) -> EventKind) {
        if let Some(resource) = self.resource(id) {
            self.append_to(id, kind(&resource));
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
    }
}

fn scheduled(resource: &Resource, input: &Value, timeout: Option<u64>, region: &std::sync::Arc<str>) -> EventKind {
    match resource {
        Resource::Function { arn } => EventKind::LambdaFunctionScheduled {
            resource: arn.clone(),
            input: input.clone(),
            timeout_in_seconds: timeout,
        },
        Resource::Service { .. } => EventKind::TaskScheduled {
            task: task_type(resource),
            region: region.clone(),
            parameters: input.clone(),
            timeout_in_seconds: timeout,
        },
    }
}
