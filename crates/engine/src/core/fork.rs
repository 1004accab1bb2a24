//! Parallel and Map states: forking branches, and joining them again.

use std::sync::Arc;

use asl::{
    Fault, FieldError, Scope, Value,
    distributed::Distributed,
    fault::names,
    flow::Stage,
    machine::{self, Kind, Map, Parallel, Processing, State},
    retry::Origin,
    template::{Code, Template},
};

use super::{
    Command, Execution,
    branch::{Branch, BranchId, Next, Parent, WaitsFor},
    context::{MapItem, Surroundings},
    values,
};
use crate::{
    history::{Event, EventKind, Iteration},
    map_run::{StateItems, Tolerance},
};

/// The most iterations of a Map state that run at once inside one execution.
const MAX_CONCURRENT_ITERATIONS: usize = 40;

/// What a branch has forked.
#[derive(Debug)]
pub(super) struct Fork {
    /// The result of each branch that has ended.
    results: Vec<Option<Value>>,
    /// How many have not ended.
    left: usize,
    /// What iterations are made of; none for a Parallel state.
    iterations: Option<Iterations>,
}

#[derive(Debug)]
struct Iterations {
    items: Arc<Vec<Value>>,
    /// The state's input after `InputPath`, which `ItemSelector` reads.
    input: Value,
    /// The first item that has not begun.
    next: usize,
    /// How many run at once.
    at_once: usize,
}

/// What a Map state's fields give before its first iteration.
pub(super) struct MapInput<Items> {
    /// The state's input after `InputPath`.
    pub(super) input: Value,
    pub(super) items: Items,
    /// How many iterations run at once. Below 0, which a path alone can give: none, ever.
    pub(super) max_concurrency: Option<i64>,
}

impl MapInput<Arc<Vec<Value>>> {
    pub(super) fn inline(map: &Map, state: &State, scope: &Scope<'_>) -> Result<Self, FieldError> {
        let input = state.flow.selected_input(scope)?;
        let inner = scope.with_input(&input);
        let max_concurrency =
            map.max_concurrency.as_ref().map(|limit| values::concurrency(limit, &inner)).transpose()?;
        let items = items(map, state, &inner, |value| value.as_array().cloned())?;
        Ok(Self { input, items, max_concurrency })
    }
}

impl MapInput<Option<StateItems>> {
    /// Without items where the state reads them elsewhere. An object's fields are items too, unlike those of an inline Map
    /// state (Developer Guide, "`ItemsPath` (Map, JSONPath only)").
    pub(super) fn distributed(
        map: &Map,
        distributed: &Distributed,
        state: &State,
        scope: &Scope<'_>,
    ) -> Result<Self, FieldError> {
        let input = state.flow.selected_input(scope)?;
        let inner = scope.with_input(&input);
        let max_concurrency = map.max_concurrency.as_ref().map(|limit| values::count(limit, &inner)).transpose()?;
        let max_concurrency = max_concurrency.map(u64::cast_signed);
        let items = match &distributed.reader {
            Some(_) => None,
            None => Some(items(map, state, &inner, StateItems::of)?),
        };
        Ok(Self { input, items, max_concurrency })
    }
}

impl<Items> MapInput<Items> {
    /// How many failures the state tolerates: evaluated once it has begun, and of effect in a distributed Map alone.
    pub(super) fn tolerance(&self, map: &Map, scope: &Scope<'_>) -> Result<Tolerance, FieldError> {
        let scope = scope.with_input(&self.input);
        let count = map.tolerated_failure_count.as_ref();
        let percentage = map.tolerated_failure_percentage.as_ref();
        Ok(Tolerance {
            count: count.map(|count| values::tolerated_count(count, &scope)).transpose()?,
            percentage: percentage.map(|percentage| values::percentage(percentage, &scope)).transpose()?,
        })
    }
}

impl Execution {
    pub(super) fn fork_parallel(&mut self, id: BranchId, parallel: &Parallel) -> Result<(), FieldError> {
        let input = self.evaluate(id, |scope, state| state.flow.effective_input(scope))?;
        self.append_to(id, EventKind::ParallelStateStarted);
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        let count = parallel.branches.len();
        branch.waits_for = Some(WaitsFor::Fork(Fork { results: vec![None; count], left: count, iterations: None }));
        let (last_event, map_item, variables) = (branch.last_event, branch.map_item.clone(), branch.variables.clone());
        for (index, graph) in parallel.branches.iter().enumerate() {
            let next = Next::Enter(graph.start, input.clone());
            let parent = Some(Parent { branch: id, index });
            let child = self.branches.add(Branch {
                map_item: map_item.clone(),
                variables: variables.clone(),
                ..Branch::new(graph.clone(), parent, last_event, next)
            });
            self.ready.push_back(child);
        }
        Ok(())
    }

    pub(super) fn begin_map(&mut self, id: BranchId, map: &Map) -> Result<(), FieldError> {
        match &map.processing {
            Processing::Inline => self.fork_map(id, map),
            Processing::Distributed(distributed) => self.start_map_run(id, map, distributed),
        }
    }

    fn fork_map(&mut self, id: BranchId, map: &Map) -> Result<(), FieldError> {
        let before = self.evaluate(id, |scope, state| MapInput::inline(map, state, scope))?;
        let length = before.items.len() as u64;
        self.append_to(id, EventKind::MapStateStarted { length });
        self.evaluate(id, |scope, _| before.tolerance(map, scope))?;
        let MapInput { input, items, max_concurrency } = before;
        let count = items.len();
        let at_once = match max_concurrency {
            None | Some(0) => MAX_CONCURRENT_ITERATIONS,
            // Recorded: with a limit below 0 the service begins the state, and never an iteration.
            Some(limit) => usize::try_from(limit).unwrap_or(0).min(MAX_CONCURRENT_ITERATIONS),
        };
        let iterations = Some(Iterations { items, input, next: 0, at_once });
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        let last_event = branch.last_event;
        branch.waits_for = Some(WaitsFor::Fork(Fork { results: vec![None; count], left: count, iterations }));
        if count == 0 {
            self.join(id, last_event);
            return Ok(());
        }
        let begun = self.start_iterations(id, map, 0, last_event);
        if begun.is_err() {
            self.give_up_fork(id);
        }
        begun
    }

    /// Begins as many iterations as may run at once, where so many run already.
    pub(super) fn start_iterations(
        &mut self,
        id: BranchId,
        map: &Map,
        running: usize,
        previous: u64,
    ) -> Result<(), FieldError> {
        let waits_for = self.branches.get(id).and_then(|branch| branch.waits_for.as_ref());
        let Some(WaitsFor::Fork(Fork { iterations: Some(iterations), .. })) = waits_for else { return Ok(()) };
        let not_begun = iterations.items.len().saturating_sub(iterations.next);
        for _ in 0..iterations.at_once.saturating_sub(running).min(not_begun) {
            self.start_iteration(id, map, previous)?;
        }
        Ok(())
    }

    /// Begins the next iteration that has not begun, if there is one; its first event follows `previous`.
    fn start_iteration(&mut self, id: BranchId, map: &Map, previous: u64) -> Result<(), FieldError> {
        let waits_for = self.branches.get(id).and_then(|branch| branch.waits_for.as_ref());
        let Some(WaitsFor::Fork(Fork { iterations: Some(iterations), .. })) = waits_for else { return Ok(()) };
        let Some(value) = iterations.items.get(iterations.next).cloned() else { return Ok(()) };
        let index = iterations.next;
        let state_input = iterations.input.clone();
        let item = Arc::new(MapItem { index: index as u64, value });
        let input = self.iteration_input(id, map, &state_input, &item)?;
        self.has_begun(id, index);
        let iteration = self.iteration(id, index);
        let started = self.append(previous, EventKind::MapIterationStarted(iteration));
        let next = Next::Enter(map.processor.start, input);
        let variables = self.branches.get(id).map(|branch| branch.variables.clone()).unwrap_or_default();
        let child = self.branches.add(Branch {
            map_item: Some(item),
            variables,
            ..Branch::new(map.processor.clone(), Some(Parent { branch: id, index }), started, next)
        });
        self.ready.push_back(child);
        Ok(())
    }

    /// The input of an iteration: its item, or what `ItemSelector` makes of it and of the Map state's selected input.
    pub(super) fn iteration_input(
        &self,
        id: BranchId,
        map: &Map,
        state_input: &Value,
        item: &MapItem,
    ) -> Result<Value, FieldError> {
        let Some(selector) = &map.item_selector else { return Ok(item.value.clone()) };
        let surround = |surroundings| Surroundings { map_item: Some(item), ..surroundings };
        self.evaluate_in(id, surround, |scope, state| {
            // In JSONata `$states.input` is the state's own input, as everywhere in the state.
            let scope = if state.flow.is_jsonata() { scope } else { &scope.with_input(state_input) };
            selector.fill(scope)
        })
    }

    /// A branch has ended well: its result is kept, the next iteration begins, the last one joins.
    pub(super) fn branch_succeeded(&mut self, id: BranchId, output: Value) {
        let Some(branch) = self.branches.remove(id) else { return };
        let Some(Parent { branch: parent_id, index }) = branch.parent else { return };
        let Some((graph, visit)) = self.at(parent_id) else { return };
        let Some(fork) = self.fork_mut(parent_id) else { return };
        if let Some(result) = fork.results.get_mut(index) {
            *result = Some(output);
        }
        fork.left -= 1;
        let is_last = fork.left == 0;
        let mut last_event = branch.last_event;
        if let Kind::Map(map) = &graph.state(visit.state).kind {
            let iteration = self.iteration(parent_id, index);
            let succeeded = self.append(branch.last_event, EventKind::MapIterationSucceeded(iteration));
            // The next iteration follows this one's last event; the state itself, the iteration's end.
            if let Err(error) = self.start_iteration(parent_id, map, branch.last_event) {
                self.give_up_fork(parent_id);
                self.evaluation_failed(parent_id, error);
                self.goes_on(parent_id);
                return;
            }
            last_event = succeeded;
        }
        if is_last {
            self.join(parent_id, last_event);
            self.goes_on(parent_id);
        }
    }

    /// Every branch has ended well: the state's result is the array of theirs.
    fn join(&mut self, id: BranchId, last_event: u64) {
        let Some(branch) = self.branches.get_mut(id) else { return };
        let Some(WaitsFor::Fork(fork)) = branch.waits_for.take() else { return };
        branch.last_event = last_event;
        let result = Value::from(fork.results.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        let Some((graph, visit)) = self.at(id) else { return };
        let kind = match &graph.state(visit.state).kind {
            Kind::Parallel(_) => EventKind::ParallelStateSucceeded,
            _ => EventKind::MapStateSucceeded,
        };
        self.append(last_event, kind);
        self.finish(id, &result);
    }

    /// A branch has failed, and its siblings are given up.
    ///
    /// What is written of those follows the last event of the one that failed, whose state is given up too. Siblings that
    /// have failed at the same moment were not given up: they have failed, each by itself.
    pub(super) fn branch_failed(&mut self, id: BranchId, fault: Fault) {
        let Some(branch) = self.branches.get(id) else { return };
        let (last_event, Some(Parent { branch: parent, .. })) = (branch.last_event, branch.parent) else { return };
        let has_failed = |child: BranchId| child == id || self.branches.fails(child);
        let (failed, others): (Vec<_>, Vec<_>) =
            self.branches.children_of(parent).into_iter().partition(|child| has_failed(*child));
        let others: Vec<_> = others.into_iter().filter_map(|child| self.abort(child, last_event)).collect();
        let failed = failed.into_iter().filter_map(|child| self.put_away(child, None));
        let branches = others.into_iter().chain(failed).collect();
        if let Some(parent) = self.branches.get_mut(parent) {
            parent.halt(branches);
            parent.keep_wreckage(&fault);
            parent.last_event = last_event;
        }
        self.handle(parent, fault, Origin::Other);
        self.goes_on(parent);
    }

    /// The error of a Parallel or Map state that is not retried.
    pub(super) fn forked_work_failed(&mut self, id: BranchId, state: &State) {
        let started =
            self.branches.get(id).and_then(|branch| Some(branch.last_event > branch.visit.as_ref()?.entered_event));
        // What a Map Run needs and that can't be evaluated fails the execution at once.
        let before_run = self.branches.get(id).is_some_and(|branch| self.is_before_map_run(state, branch.last_event));
        if before_run {
            return;
        }
        match (&state.kind, started) {
            (Kind::Parallel(_), Some(true)) => self.append_to(id, EventKind::ParallelStateFailed),
            (Kind::Map(_), Some(true)) => self.append_to(id, EventKind::MapStateFailed),
            _ => {}
        }
    }

    fn is_before_map_run(&self, state: &State, last_event: u64) -> bool {
        let is_distributed = matches!(&state.kind, Kind::Map(Map { processing: Processing::Distributed(_), .. }));
        let index = usize::try_from(last_event).ok().and_then(|id| id.checked_sub(1));
        let last = index.and_then(|index| self.history.get(index));
        is_distributed && matches!(last, Some(Event { kind: EventKind::MapStateStarted { .. }, .. }))
    }

    /// Gives up what a branch has forked: it waits for nothing any more.
    pub(super) fn give_up_fork(&mut self, id: BranchId) {
        let Some(last_event) = self.branches.get(id).map(|branch| branch.last_event) else { return };
        let branches = self.abort_children(id, last_event);
        if let Some(branch) = self.branches.get_mut(id) {
            branch.halt(branches);
        }
    }

    /// Gives up every branch below this one. Returns them as they were.
    fn abort_children(&mut self, id: BranchId, previous: u64) -> Vec<Branch> {
        let children = self.branches.children_of(id);
        children.into_iter().filter_map(|child| self.abort(child, previous)).collect()
    }

    /// Gives a branch up, unless it has failed by itself. The history says so after `previous`. Returns it as it was.
    fn abort(&mut self, id: BranchId, previous: u64) -> Option<Branch> {
        let given_up_after = Some(previous).filter(|_| !self.branches.fails(id));
        self.put_away(id, given_up_after)
    }

    /// Puts a branch away with all below it: their calls are cancelled, and the history says so, after the event that it was
    /// given up for, or, where it has failed, after its own last one. Returns it as it was.
    fn put_away(&mut self, id: BranchId, given_up_after: Option<u64>) -> Option<Branch> {
        let branch = self.branches.get(id)?;
        let parent = branch.parent?;
        let state_type = branch.state().map(|state| state.kind.type_name());
        let call = branch.pending().map(|pending| pending.call.id);
        let run = branch.map_run().map(|run| run.id);
        let previous = given_up_after.unwrap_or(branch.last_event);
        let around = self.branches.get(parent.branch).and_then(|branch| branch.state());
        if around.is_some_and(|state| matches!(state.kind, Kind::Map(_))) {
            let iteration = self.iteration(parent.branch, parent.index);
            self.append(
                previous,
                match given_up_after {
                    Some(_) => EventKind::MapIterationAborted(iteration),
                    None => EventKind::MapIterationFailed(iteration),
                },
            );
        }
        self.commands.extend(call.map(|call| Command::CancelTask { call }));
        if let Some(run) = run {
            self.commands.push(Command::CancelMapRun { run });
            self.append(previous, EventKind::MapRunAborted);
        }
        if let Some(state_type @ ("Task" | "Wait" | "Parallel" | "Map")) = state_type {
            self.append(previous, EventKind::StateAborted { state_type });
        }
        let forked = self.abort_children(id, previous);
        let mut branch = self.branches.remove(id)?;
        branch.halt(forked);
        Some(branch)
    }

    /// The iteration with this index has begun.
    fn has_begun(&mut self, id: BranchId, index: usize) {
        if let Some(Fork { iterations: Some(iterations), .. }) = self.fork_mut(id) {
            iterations.next = index + 1;
        }
    }

    fn fork_mut(&mut self, id: BranchId) -> Option<&mut Fork> {
        match &mut self.branches.get_mut(id)?.waits_for {
            Some(WaitsFor::Fork(fork)) => Some(fork),
            _ => None,
        }
    }

    fn iteration(&self, map: BranchId, index: usize) -> Iteration {
        let name = self.branches.get(map).and_then(|branch| branch.state()).map(|state| state.name.clone());
        Iteration { name: name.unwrap_or_default(), index: index as u64 }
    }
}

/// What a Map state goes through, where `read` can take the value for that. `scope` has the state's input after
/// `InputPath` as `$`.
fn items<Items>(
    map: &Map,
    state: &State,
    scope: &Scope<'_>,
    read: impl Fn(&Value) -> Option<Items>,
) -> Result<Items, FieldError> {
    let not_an_array = |path: &str| Fault::runtime(format!("Reference path \"{path}\" must point to array."));
    match &map.items {
        machine::Items::Input => match read(scope.input) {
            Some(items) => {
                if !state.flow.is_jsonata() {
                    scope.environment.observe(Stage::ItemsPath, scope.input);
                }
                Ok(items)
            }
            None if state.flow.is_jsonata() => Err(Fault::new(
                names::QUERY_EVALUATION_ERROR,
                format!("Map state input must be an array but was: {}", scope.input),
            )
            .into()),
            None => Err(not_an_array("$").into()),
        },
        machine::Items::Path(expression) => {
            let Code::Path(path) = expression.code() else { return Err(not_an_array("$").into()) };
            let found =
                path.find(scope).map_err(|missing| Fault::runtime(format!("Invalid path '{path}' : {missing}")))?;
            let found = scope.observed(Stage::ItemsPath, found);
            read(&found).ok_or_else(|| not_an_array(path.text()).into())
        }
        machine::Items::Template(template) => {
            let found = template.fill(scope)?;
            read(&found).ok_or_else(|| match template {
                Template::Expression(expression) => expression.unexpected_type("array", &found),
                _ => Fault::new(
                    names::QUERY_EVALUATION_ERROR,
                    format!("Map state input must be an array but was: {found}"),
                )
                .into(),
            })
        }
    }
}
