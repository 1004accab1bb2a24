//! Entering states, and doing their work.

use std::{sync::Arc, time::Duration};

use asl::{
    Fault, FieldError, Scope, Value,
    machine::{Choice, Fail, Graph, Kind, Pass, State, StateId, Transition, Wait},
};
use time::OffsetDateTime;

use super::{
    Execution,
    branch::{BranchId, Next, Visit, WaitsFor},
    context::Surroundings,
    exit::{self, Exit},
    values,
};
use crate::history::EventKind;

/// The longest that a Wait state can wait: as many seconds as a 32-bit integer holds.
const LONGEST_WAIT: Duration = Duration::from_secs(i32::MAX as u64);

/// A state's work, as far as it can be done at once.
enum Work {
    /// The state is done.
    Done(Exit),
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
            Next::Fail(fault) => self.branch_failed(id, *fault),
        }
        true
    }

    fn enter(&mut self, id: BranchId, state_id: StateId, input: Value) {
        let Some(branch) = self.branches.get(id) else { return };
        let graph = branch.graph.clone();
        let state = graph.state(state_id);
        let before_entry = branch.last_event;
        let entered_event = self.append(
            before_entry,
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
        branch.visit = Some(Visit { state: state_id, before_entry, entered_event, entered_at, input, retries });
        branch.next = Some(Next::Work);
    }

    fn work(&mut self, id: BranchId) {
        let Some((graph, visit)) = self.at(id) else { return };
        let state = graph.state(visit.state);
        let work = match &state.kind {
            Kind::Pass(pass) => self.evaluate(id, |scope, state| do_pass(pass, state, scope)),
            Kind::Choice(choice) => self.evaluate(id, |scope, state| do_choice(choice, state, scope)),
            Kind::Wait(wait) => {
                let now = self.now;
                self.evaluate(id, |scope, state| do_wait(wait, state, scope, now))
            }
            Kind::Succeed => self.evaluate(id, |scope, state| {
                let input = state.flow.selected_input(scope)?;
                Exit::of(state, scope, &input, Transition::End).map(Work::Done)
            }),
            Kind::Fail(fail) => self.evaluate(id, |scope, _| do_fail(fail, scope)),
            Kind::Task(task) => self.schedule(id, &visit, state, task).map(|()| Work::Begun),
            Kind::Parallel(parallel) => self.fork_parallel(id, parallel).map(|()| Work::Begun),
            Kind::Map(map) => self.begin_map(id, map).map(|()| Work::Begun),
        };
        match work {
            Ok(Work::Done(exit)) => self.leave_or_fail(id, Ok(exit)),
            Ok(Work::Wait(until)) => {
                let timer = self.set_timer(id, (until - self.now).unsigned_abs());
                if let Some(branch) = self.branches.get_mut(id) {
                    branch.waits_for = Some(WaitsFor::Wait(timer));
                }
            }
            Ok(Work::Begun) => {}
            Ok(Work::Fail(fault)) => self.fail(id, fault),
            Err(error) => self.evaluation_failed(id, error),
        }
    }

    /// The end of a Wait state.
    pub(super) fn wait_over(&mut self, id: BranchId) {
        let exit = self.evaluate(id, |scope, state| {
            let input = state.flow.selected_input(scope)?;
            Exit::of(state, scope, &input, state.transition().unwrap_or(Transition::End))
        });
        self.leave_or_fail(id, exit);
    }

    /// The graph and the stay of a branch that is at a state.
    pub(super) fn at(&self, id: BranchId) -> Option<(Arc<Graph>, Visit)> {
        let branch = self.branches.get(id)?;
        Some((branch.graph.clone(), branch.visit.clone()?))
    }

    /// Evaluates something at the state that a branch is at, with its raw input as `$`.
    ///
    /// A fault's cause is told as the service tells it: with the state's name and the event of its entry.
    pub(super) fn evaluate<T>(
        &self,
        id: BranchId,
        evaluation: impl FnOnce(&Scope<'_>, &State) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        self.evaluate_in(id, |surroundings| surroundings, evaluation)
    }

    /// The same in surroundings that the caller adds something to.
    pub(super) fn evaluate_in<'a, T>(
        &'a self,
        id: BranchId,
        surround: impl FnOnce(Surroundings<'a>) -> Surroundings<'a>,
        evaluation: impl FnOnce(&Scope<'_>, &State) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        let branch = self.branches.get(id);
        let Some((branch, visit)) = branch.and_then(|branch| Some((branch, branch.visit.as_ref()?))) else {
            return Err(Fault::runtime("The state is not active.").into());
        };
        let surroundings = surround(Surroundings::of(self, branch, visit));
        evaluation(&Scope::new(&visit.input, &surroundings), surroundings.state).map_err(|error| {
            let cause = error.fault.cause.unwrap_or_default();
            let cause = format!("{}{cause}", prefix(surroundings.state, visit));
            FieldError { fault: Fault { error: error.fault.error, cause: Some(cause.into()) }, field: error.field }
        })
    }
}

/// What the service says before the cause of what went wrong in a state.
pub(super) fn prefix(state: &State, visit: &Visit) -> String {
    let Visit { entered_event, .. } = visit;
    format!("An error occurred while executing the state '{}' (entered at the event id #{entered_event}). ", state.name)
}

fn do_pass(pass: &Pass, state: &State, scope: &Scope<'_>) -> Result<Work, FieldError> {
    let result = match &pass.result {
        Some(result) => {
            // What `InputPath` does not find is an error even where `Result` takes its place.
            state.flow.selected_input(scope)?;
            result.clone()
        }
        None => state.flow.effective_input(scope)?,
    };
    Exit::of(state, scope, &result, pass.transition).map(Work::Done)
}

fn do_choice(choice: &Choice, state: &State, scope: &Scope<'_>) -> Result<Work, FieldError> {
    let input = state.flow.selected_input(scope)?;
    let inner = scope.with_input(&input);
    for rule in &choice.rules {
        if !rule.rule.holds(&inner)? {
            continue;
        }
        let output = match &rule.output {
            Some(output) => output.fill(scope)?,
            None if state.flow.is_jsonata() => input.clone(),
            None => state.flow.output(scope, &input)?,
        };
        let assigned = exit::assigned(rule.assign.as_ref(), &state.flow, scope, &input)?;
        return Ok(Work::Done(Exit { output, assigned, transition: Transition::Next(rule.next) }));
    }
    match choice.default {
        Some(next) => Exit::of(state, scope, &input, Transition::Next(next)).map(Work::Done),
        None => {
            Err(Fault::runtime("Failed to transition out of the state. The state does not point to a next state.")
                .into())
        }
    }
}

fn do_wait(wait: &Wait, state: &State, scope: &Scope<'_>, now: OffsetDateTime) -> Result<Work, FieldError> {
    let input = state.flow.selected_input(scope)?;
    match values::until(&wait.until, &scope.with_input(&input), now)? {
        Some(until) if until - now <= LONGEST_WAIT => Ok(Work::Wait(until.max(now))),
        _ => Err(Fault::runtime("Wait state delay is too long.").into()),
    }
}

fn do_fail(fail: &Fail, scope: &Scope<'_>) -> Result<Work, FieldError> {
    let error = fail.error.as_ref().map(|text| values::fail_text(text, scope)).transpose()?;
    let cause = fail.cause.as_ref().map(|text| values::fail_text(text, scope)).transpose()?;
    Ok(Work::Fail(Fault { error, cause }))
}
