//! Leaving states: outputs, variables, and what becomes of errors.

use std::{sync::Arc, time::Duration};

use asl::{
    Fault, FieldError, PAYLOAD_LIMIT, Scope, Value,
    fault::names,
    flow::DataFlow,
    machine::{Kind, State, Transition},
    retry::{CatchOutput, Catcher, Origin},
    template::Template,
    value::Object,
};

use super::{
    Execution, Outcome,
    branch::{BranchId, Next, WaitsFor},
};
use crate::history::EventKind;

/// The most bytes that the values of one `Assign` may have, and so each of its variables.
const ASSIGN_LIMIT: usize = PAYLOAD_LIMIT;

/// The most bytes that all variables of one branch may have, those around it among them.
const VARIABLES_LIMIT: usize = 10 * 1024 * 1024;

/// What a state gives when it is left.
pub(super) struct Exit {
    pub(super) output: Value,
    /// The variables that it sets, by their names, where there are any.
    pub(super) assigned: Option<Arc<Object>>,
    pub(super) transition: Transition,
}

impl Exit {
    /// What a state makes of its result, by its own fields. `scope` has its raw input as `$`.
    pub(super) fn of(
        state: &State,
        scope: &Scope<'_>,
        result: &Value,
        transition: Transition,
    ) -> Result<Self, FieldError> {
        let scope = match state.kind {
            Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_) => &scope.with_result(result),
            _ => scope,
        };
        let assigned = assigned(state.assign.as_ref(), &state.flow, scope, result)?;
        let output = state.flow.output(scope, result)?;
        Ok(Self { output, assigned, transition })
    }
}

/// The variables that an `Assign` sets. In `JSONPath` `$` is the state's result there.
pub(super) fn assigned(
    assign: Option<&Template>,
    flow: &DataFlow,
    scope: &Scope<'_>,
    result: &Value,
) -> Result<Option<Arc<Object>>, FieldError> {
    let Some(assign) = assign else { return Ok(None) };
    let values = match flow {
        DataFlow::JsonPath(_) => assign.fill(&scope.with_input(result))?,
        DataFlow::Jsonata(_) => assign.fill(scope)?,
    };
    if values.text_len(ASSIGN_LIMIT) > ASSIGN_LIMIT {
        return Err(Fault::new(
            names::DATA_LIMIT_EXCEEDED,
            "The variables assigned by the state exceed the maximum number of bytes service limit.",
        )
        .into());
    }
    Ok(match values {
        Value::Object(variables) if !variables.is_empty() => Some(variables),
        // A template of an object gives an object.
        _ => None,
    })
}

impl Execution {
    /// Makes a state's output of its result, and leaves it.
    pub(super) fn finish(&mut self, id: BranchId, result: &Value) {
        let exit = self
            .evaluate(id, |scope, state| Exit::of(state, scope, result, state.transition().unwrap_or(Transition::End)));
        self.leave_or_fail(id, exit);
    }

    /// Leaves a state, unless its fields could not be evaluated or gave too much.
    pub(super) fn leave_or_fail(&mut self, id: BranchId, exit: Result<Exit, FieldError>) {
        if let Err(error) = exit.and_then(|exit| self.leave(id, exit)) {
            self.evaluation_failed(id, error);
        }
    }

    /// Leaves a state. An error if what it gives is too large; then the branch is still where it was.
    fn leave(&mut self, id: BranchId, exit: Exit) -> Result<(), FieldError> {
        let Exit { output, assigned, transition } = exit;
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        let Some(visit) = branch.visit.take() else { return Ok(()) };
        let state = branch.graph.state(visit.state);
        let (state_type, name) = (state.kind.type_name(), state.name.clone());
        let last_event = branch.last_event;
        // What came in within the limit goes out within it: only a new value is measured.
        let is_too_large = !output.is_same(&visit.input) && output.text_len(PAYLOAD_LIMIT) > PAYLOAD_LIMIT;
        let variables = assigned.as_ref().map(|assigned| merged(&branch.variables, assigned));
        let has_room = variables
            .as_ref()
            .is_none_or(|all| Value::Object(all.clone()).text_len(VARIABLES_LIMIT) <= VARIABLES_LIMIT);
        if is_too_large || !has_room {
            branch.visit = Some(visit);
            return Err(too_large(&name).into());
        }
        if let Some(variables) = variables {
            branch.variables = variables;
        }
        branch.wreckage = None;
        let exited = EventKind::StateExited { state_type, name, output: output.clone(), assigned };
        let event = self.append(last_event, exited);
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        branch.last_event = event;
        match transition {
            Transition::Next(next) => branch.next = Some(Next::Enter(next, output)),
            Transition::End => match branch.parent {
                None => self.end(Outcome::Succeeded(output), event),
                Some(_) => self.branch_succeeded(id, output),
            },
        }
        Ok(())
    }

    /// A field of the state that a branch is at could not be evaluated.
    pub(super) fn evaluation_failed(&mut self, id: BranchId, error: FieldError) {
        self.append_evaluation_failed(id, &error);
        self.handle(id, error.fault, Origin::Other);
    }

    /// Writes `EvaluationFailed`, where a query is to blame.
    ///
    /// What fails as the state is entered follows the entry's own predecessor, but where the entry is a step by itself:
    /// in a Task and a Wait state.
    fn append_evaluation_failed(&mut self, id: BranchId, error: &FieldError) {
        if !error.fault.is(names::QUERY_EVALUATION_ERROR) {
            return;
        }
        let Some((branch, visit)) = self.branches.get(id).and_then(|branch| Some((branch, branch.visit.as_ref()?)))
        else {
            return;
        };
        let state = branch.graph.state(visit.state);
        let at_entry = branch.last_event == visit.entered_event;
        let previous = match state.kind {
            Kind::Task(_) | Kind::Wait(_) => branch.last_event,
            _ if at_entry => visit.before_entry,
            _ => branch.last_event,
        };
        let failed = EventKind::EvaluationFailed {
            fault: error.fault.clone(),
            location: error.field.clone(),
            state: state.name.clone(),
        };
        let event = self.append(previous, failed);
        if let Some(branch) = self.branches.get_mut(id) {
            branch.last_event = event;
        }
    }

    /// What becomes of an error at a state: a retry, a catch, or the end of the branch.
    pub(super) fn handle(&mut self, id: BranchId, fault: Fault, origin: Origin) {
        let Some((graph, visit)) = self.at(id) else { return };
        let state = graph.state(visit.state);
        if let Some(trial) = &mut self.trial {
            trial.failed(&fault, origin);
        }
        if let Some(delay) = self.retry(id, state, &fault, origin) {
            let timer = self.set_timer(id, delay);
            if let Some(branch) = self.branches.get_mut(id) {
                branch.waits_for = Some(WaitsFor::Retry(timer));
            }
            return;
        }
        let before = self.branches.get(id).map_or(0, |branch| branch.last_event);
        // What nothing can catch ends the execution from where it is.
        if !fault.is(names::RUNTIME) {
            self.forked_work_failed(id, state);
        }
        let Some(catcher) = state.catchers().iter().find(|catcher| catcher.errors.matches(&fault, origin)) else {
            self.fail(id, fault);
            return;
        };
        let exit = self.evaluate(id, |scope, state| catch(catcher, &fault, state, scope));
        // What fails on the way out by a catcher is neither tried again nor caught.
        if let Err(error) = exit.and_then(|exit| self.leave(id, exit)) {
            if error.fault.is(names::QUERY_EVALUATION_ERROR) {
                // It failed where the state stood before the failure of its branches was written.
                if let Some(branch) = self.branches.get_mut(id) {
                    branch.last_event = before;
                }
                self.append_evaluation_failed(id, &error);
                self.forked_work_failed(id, state);
            }
            self.fail(id, error.fault);
        }
    }

    /// The delay before the next try, where a retrier takes the error and has tries left.
    fn retry(&mut self, id: BranchId, state: &State, fault: &Fault, origin: Origin) -> Option<Duration> {
        let position = state.retriers().iter().position(|retrier| retrier.errors.matches(fault, origin))?;
        let retrier = &state.retriers()[position];
        let random = if retrier.full_jitter { self.random() } else { 0 };
        let tried = self.branches.get_mut(id)?.visit.as_mut()?.retries.get_mut(position)?;
        if *tried >= retrier.max_attempts {
            return None;
        }
        *tried += 1;
        Some(retrier.delay(*tried - 1, random))
    }

    /// A branch fails: the execution with it at once, or the state that forked it when it is the branch's turn.
    ///
    /// An error that nothing can catch ends the execution from wherever it is raised.
    pub(super) fn fail(&mut self, id: BranchId, fault: Fault) {
        let Some(branch) = self.branches.get_mut(id) else { return };
        if branch.parent.is_some() && !fault.is(names::RUNTIME) {
            branch.next = Some(Next::Fail(Box::new(fault)));
            return;
        }
        let Some(last_event) = self.branches.get(id).map(|branch| self.before_failure(branch)) else { return };
        self.end(Outcome::Failed(fault), last_event);
    }
}

/// What a catcher makes of an error.
fn catch(catcher: &Catcher, fault: &Fault, state: &State, scope: &Scope<'_>) -> Result<Exit, FieldError> {
    let error_output = error_output(fault);
    let scope = Scope { error_output: Some(&error_output), ..*scope };
    let assigned = assigned(catcher.assign.as_ref(), &state.flow, &scope, &error_output)?;
    let output = match &catcher.output {
        CatchOutput::ResultPath(path) => path.place(scope.input, error_output.clone())?,
        CatchOutput::Template(Some(template)) => template.fill(&scope)?,
        CatchOutput::Template(None) => error_output.clone(),
    };
    Ok(Exit { output, assigned, transition: Transition::Next(catcher.next) })
}

/// `{Error, Cause}`, what a catcher has to work with; a part that is missing is empty.
fn error_output(fault: &Fault) -> Value {
    let text = |part: &Option<Arc<str>>| Value::String(part.clone().unwrap_or_default());
    Value::from([("Error", text(&fault.error)), ("Cause", text(&fault.cause))])
}

/// Variables with others set among them.
pub(super) fn merged(variables: &Arc<Object>, assigned: &Arc<Object>) -> Arc<Object> {
    let mut all = variables.clone();
    Arc::make_mut(&mut all).extend(assigned.iter().map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// What the service says of a payload over its limit.
pub(super) fn too_large(name: &str) -> Fault {
    Fault::new(
        names::DATA_LIMIT_EXCEEDED,
        format!(
            "The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
        ),
    )
}
