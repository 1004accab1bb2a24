//! Entering, doing and leaving states, and what becomes of an error.

use std::{sync::Arc, time::Duration};

use asl::{
    Fault, PAYLOAD_LIMIT, Scope, Value,
    fault::names,
    machine::{Choice, Fail, InputOutput, Kind, Pass, ResultPath, State, StateId, Transition, Until, Wait},
    retry::Origin,
    template::Template,
    timestamp,
};
use time::OffsetDateTime;

use super::{
    Execution, Outcome,
    branch::{BranchId, Next, Visit, WaitsFor},
    context::Surroundings,
    dataflow,
};
use crate::history::EventKind;

/// The longest that a Wait state can wait: as many seconds as a 32-bit integer holds.
const LONGEST_WAIT: Duration = Duration::from_secs(i32::MAX as u64);

/// A state's work, as far as it can be done at once.
enum Work {
    /// The state is done: its output, and what comes next.
    Done(Value, Transition),
    /// The branch waits until then.
    Wait(OffsetDateTime),
    /// The branch waits for what it has begun.
    Begun,
    /// The execution, or the branch of a Parallel or Map state, fails.
    Fail(Fault),
}

impl Execution {
    /// Lets a branch do the next thing; false once it waits, or is gone.
    pub(super) fn advance(&mut self, id: BranchId) -> bool {
        let Some(next) = self.branches.get_mut(id).and_then(|branch| branch.next.take()) else { return false };
        match next {
            Next::Enter(state, input) => self.enter(id, state, input),
            Next::Work => self.work(id),
        }
        true
    }

    fn enter(&mut self, id: BranchId, state_id: StateId, input: Value) {
        let Some(branch) = self.branches.get(id) else { return };
        let graph = branch.graph.clone();
        let state = graph.state(state_id);
        let entered_event = self.append(
            branch.last_event,
            EventKind::StateEntered {
                state_type: state.kind.type_name(),
                name: state.name.clone(),
                input: input.clone(),
            },
        );
        let entered_at = self.now;
        let Some(branch) = self.branches.get_mut(id) else { return };
        branch.last_event = entered_event;
        let retries = vec![0; state.retriers().len()];
        branch.visit = Some(Visit { state: state_id, entered_event, entered_at, input, retries });
        branch.next = Some(Next::Work);
    }

    fn work(&mut self, id: BranchId) {
        let Some((graph, visit)) = self.at(id) else { return };
        let state = graph.state(visit.state);
        let work = match &state.kind {
            Kind::Pass(pass) => self.evaluate(id, |scope| do_pass(pass, scope)),
            Kind::Choice(choice) => self.evaluate(id, |scope| do_choice(choice, scope)),
            Kind::Wait(wait) => {
                let now = self.now;
                self.evaluate(id, |scope| do_wait(wait, scope, now))
            }
            Kind::Succeed(succeed) => self.evaluate(id, |scope| {
                Ok(Work::Done(
                    through(&succeed.io, scope, &dataflow::select(&succeed.io.input_path, scope)?)?,
                    Transition::End,
                ))
            }),
            Kind::Fail(fail) => self.evaluate(id, |scope| do_fail(fail, scope)),
            Kind::Task(task) => self.schedule(id, &visit, state, task).map(|()| Work::Begun),
            Kind::Parallel(parallel) => self.fork_parallel(id, parallel).map(|()| Work::Begun),
            Kind::Map(map) => self.fork_map(id, map).map(|()| Work::Begun),
        };
        match work {
            Ok(Work::Done(output, transition)) => self.leave(id, output, transition),
            Ok(Work::Wait(until)) => {
                let timer = self.set_timer(id, (until - self.now).unsigned_abs());
                if let Some(branch) = self.branches.get_mut(id) {
                    branch.waits_for = Some(WaitsFor::Wait(timer));
                }
            }
            Ok(Work::Begun) => {}
            Ok(Work::Fail(fault)) => self.fail(id, fault),
            Err(fault) => self.handle(id, fault, Origin::Other),
        }
    }

    /// The end of a Wait state.
    pub(super) fn wait_over(&mut self, id: BranchId) {
        let Some((graph, visit)) = self.at(id) else { return };
        let Kind::Wait(wait) = &graph.state(visit.state).kind else { return };
        let output =
            self.evaluate(id, |scope| through(&wait.io, scope, &dataflow::select(&wait.io.input_path, scope)?));
        match output {
            Ok(output) => self.leave(id, output, wait.transition),
            Err(fault) => self.handle(id, fault, Origin::Other),
        }
    }

    /// The graph and the stay of a branch that is at a state.
    pub(super) fn at(&self, id: BranchId) -> Option<(Arc<asl::machine::Graph>, Visit)> {
        let branch = self.branches.get(id)?;
        Some((branch.graph.clone(), branch.visit.clone()?))
    }

    /// Evaluates something at the state that a branch is at, with its raw input as `$`.
    ///
    /// A fault's cause is told as the service tells it: with the state's name and the event of its entry.
    pub(super) fn evaluate<T>(
        &self,
        id: BranchId,
        evaluation: impl FnOnce(&Scope<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let branch = self.branches.get(id);
        let Some((branch, visit)) = branch.and_then(|branch| Some((branch, branch.visit.as_ref()?))) else {
            return Err(Fault::runtime("The state is not active."));
        };
        let surroundings = Surroundings::of(self, branch, visit);
        evaluation(&Scope { input: &visit.input, environment: &surroundings }).map_err(|fault| {
            let cause = fault.cause.unwrap_or_default();
            let cause = format!(
                "An error occurred while executing the state '{}' (entered at the event id #{}). {cause}",
                surroundings.state.name, visit.entered_event
            );
            Fault { error: fault.error, cause: Some(cause.into()) }
        })
    }

    /// Makes a state's output of its result, and leaves it.
    pub(super) fn finish(&mut self, id: BranchId, result: &Value, shape: &ResultShape<'_>, transition: Transition) {
        let output = self.evaluate(id, |scope| {
            let selected = dataflow::fill(shape.result_selector, &scope.with_input(result))?;
            let placed = dataflow::place(shape.result_path, scope.input, selected)?;
            through(shape.io, scope, &placed)
        });
        match output {
            Ok(output) => self.leave(id, output, transition),
            Err(fault) => self.handle(id, fault, Origin::Other),
        }
    }

    pub(super) fn leave(&mut self, id: BranchId, output: Value, transition: Transition) {
        let Some(branch) = self.branches.get_mut(id) else { return };
        let Some(visit) = branch.visit.take() else { return };
        let state = branch.graph.state(visit.state);
        let (state_type, name) = (state.kind.type_name(), state.name.clone());
        let last_event = branch.last_event;
        // What came in within the limit goes out within it: only a new value is measured.
        if !output.is_same(&visit.input) && output.text_len(PAYLOAD_LIMIT) > PAYLOAD_LIMIT {
            branch.visit = Some(visit);
            self.handle(id, too_large(&name), Origin::Other);
            return;
        }
        let event = self.append(last_event, EventKind::StateExited { state_type, name, output: output.clone() });
        let Some(branch) = self.branches.get_mut(id) else { return };
        branch.last_event = event;
        match transition {
            Transition::Next(next) => branch.next = Some(Next::Enter(next, output)),
            Transition::End => match branch.parent {
                None => self.end(Outcome::Succeeded(output), event),
                Some(_) => self.branch_succeeded(id, output),
            },
        }
    }

    /// What becomes of an error at a state: a retry, a catch, or the end of the branch.
    pub(super) fn handle(&mut self, id: BranchId, fault: Fault, origin: Origin) {
        let Some((graph, visit)) = self.at(id) else { return };
        let state = graph.state(visit.state);
        if let Some(delay) = self.retry(id, state, &fault, origin) {
            let timer = self.set_timer(id, delay);
            if let Some(branch) = self.branches.get_mut(id) {
                branch.waits_for = Some(WaitsFor::Retry(timer));
            }
            return;
        }
        self.forked_work_failed(id, state);
        let Some(catcher) = state.catchers().iter().find(|catcher| catcher.errors.matches(&fault, origin)) else {
            self.fail(id, fault);
            return;
        };
        match dataflow::place(&catcher.result_path, &visit.input, error_output(&fault)) {
            Ok(output) => self.leave(id, output, Transition::Next(catcher.next)),
            Err(fault) => self.fail(id, fault),
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

    /// A branch fails: the execution with it, or the state that forked it.
    fn fail(&mut self, id: BranchId, fault: Fault) {
        let Some(branch) = self.branches.get(id) else { return };
        match branch.parent {
            None => {
                let last_event = branch.last_event;
                self.end(Outcome::Failed(fault), last_event);
            }
            Some(parent) => self.branch_failed(id, parent, fault),
        }
    }
}

/// The fields that make an output of a result.
pub(super) struct ResultShape<'a> {
    pub(super) io: &'a InputOutput,
    pub(super) result_selector: Option<&'a Template>,
    pub(super) result_path: &'a ResultPath,
}

/// A value through `OutputPath`.
fn through(io: &InputOutput, scope: &Scope<'_>, value: &Value) -> Result<Value, Fault> {
    dataflow::select(&io.output_path, &scope.with_input(value))
}

fn do_pass(pass: &Pass, scope: &Scope<'_>) -> Result<Work, Fault> {
    let input = dataflow::select(&pass.io.input_path, scope)?;
    let result = match &pass.result {
        Some(result) => result.clone(),
        None => dataflow::fill(pass.parameters.as_ref(), &scope.with_input(&input))?,
    };
    let placed = dataflow::place(&pass.result_path, scope.input, result)?;
    Ok(Work::Done(through(&pass.io, scope, &placed)?, pass.transition))
}

fn do_choice(choice: &Choice, scope: &Scope<'_>) -> Result<Work, Fault> {
    let input = dataflow::select(&choice.io.input_path, scope)?;
    let inner = scope.with_input(&input);
    let mut next = choice.default;
    for (rule, target) in &choice.rules {
        if rule.holds(&inner)? {
            next = Some(*target);
            break;
        }
    }
    let Some(next) = next else {
        return Err(Fault::runtime("Failed to transition out of the state. The state does not point to a next state."));
    };
    Ok(Work::Done(through(&choice.io, scope, &input)?, Transition::Next(next)))
}

fn do_wait(wait: &Wait, scope: &Scope<'_>, now: OffsetDateTime) -> Result<Work, Fault> {
    let input = dataflow::select(&wait.io.input_path, scope)?;
    let inner = scope.with_input(&input);
    let until = match &wait.until {
        Until::Seconds(seconds) => later(now, *seconds),
        Until::SecondsPath(path) => {
            let value = path.find(&inner).map_err(|_| {
                Fault::runtime(format!("The SecondsPath parameter does not reference an input value: {path}"))
            })?;
            let seconds = value.as_i64().ok_or_else(|| {
                Fault::runtime(format!("The SecondsPath parameter cannot be parsed as a long value: {path} == {value}"))
            })?;
            let seconds = u64::try_from(seconds).map_err(|_| {
                Fault::runtime(format!("The SecondsPath parameter references a negative value: {path} == {value}"))
            })?;
            later(now, seconds)
        }
        Until::Timestamp(at) => Some(*at),
        Until::TimestampPath(path) => {
            let value = path.find(&inner).map_err(|_| {
                Fault::runtime(format!("The TimestampPath parameter does not reference an input value: {path}"))
            })?;
            let at = value.as_str().and_then(timestamp::parse).ok_or_else(|| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Fault::runtime(format!(
                    "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format \
                     string: {path} == {shown}"
                ))
            })?;
            Some(at)
        }
    };
    match until {
        Some(until) if until - now <= LONGEST_WAIT => Ok(Work::Wait(until.max(now))),
        _ => Err(Fault::runtime("Wait state delay is too long.")),
    }
}

fn later(now: OffsetDateTime, seconds: u64) -> Option<OffsetDateTime> {
    now.checked_add(time::Duration::seconds(i64::try_from(seconds).ok()?))
}

fn do_fail(fail: &Fail, scope: &Scope<'_>) -> Result<Work, Fault> {
    let error = fail.error.as_ref().map(|text| dataflow::fail_text(text, "ErrorPath", scope)).transpose()?;
    let cause = fail.cause.as_ref().map(|text| dataflow::fail_text(text, "CausePath", scope)).transpose()?;
    Ok(Work::Fail(Fault { error, cause }))
}

/// `{Error, Cause}`, what a catcher puts at its `ResultPath`; a part that is missing is empty.
fn error_output(fault: &Fault) -> Value {
    let text = |part: &Option<Arc<str>>| Value::String(part.clone().unwrap_or_default());
    Value::from([("Error", text(&fault.error)), ("Cause", text(&fault.cause))])
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
