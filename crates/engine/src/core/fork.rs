//! Parallel and Map states: forking branches, and joining them again.

use std::sync::Arc;

use asl::{
    Fault, Value,
    machine::{Kind, Map, Parallel, State},
    retry::Origin,
};

use super::{
    Command, Execution,
    branch::{Branch, BranchId, Next, Parent, WaitsFor},
    context::{MapItem, Surroundings},
    dataflow,
    states::ResultShape,
};
use crate::history::{EventKind, Iteration};

/// The most iterations of a Map state that run at once inside one execution.
const MAX_CONCURRENT_ITERATIONS: u64 = 40;

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
}

impl Execution {
    pub(super) fn fork_parallel(&mut self, id: BranchId, parallel: &Parallel) -> Result<(), Fault> {
        let input = self.evaluate(id, |scope| {
            let selected = dataflow::select(&parallel.io.input_path, scope)?;
            dataflow::fill(parallel.parameters.as_ref(), &scope.with_input(&selected))
        })?;
        self.append_to(id, EventKind::ParallelStateStarted);
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        let (last_event, map_item) = (branch.last_event, branch.map_item.clone());
        let count = parallel.branches.len();
        branch.waits_for = Some(WaitsFor::Fork(Fork { results: vec![None; count], left: count, iterations: None }));
        for (index, graph) in parallel.branches.iter().enumerate() {
            let next = Next::Enter(graph.start, input.clone());
            let parent = Some(Parent { branch: id, index });
            let child = Branch::new(graph.clone(), parent, last_event, map_item.clone(), next);
            let child = self.branches.add(child);
            self.ready.push_back(child);
        }
        Ok(())
    }

    pub(super) fn fork_map(&mut self, id: BranchId, map: &Map) -> Result<(), Fault> {
        let (input, items, concurrency) = self.evaluate(id, |scope| {
            let selected = dataflow::select(&map.io.input_path, scope)?;
            let inner = scope.with_input(&selected);
            let concurrency = map.max_concurrency.as_ref();
            let concurrency =
                concurrency.map(|count| dataflow::count(count, "MaxConcurrencyPath", &inner)).transpose()?;
            let Value::Array(items) = dataflow::select(&map.items_path, &inner)? else {
                return Err(not_an_array(map));
            };
            Ok((selected.clone(), items, concurrency))
        })?;
        self.append_to(id, EventKind::MapStateStarted { length: items.len() as u64 });
        let count = items.len();
        let iterations = Some(Iterations { items, input, next: 0 });
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        let last_event = branch.last_event;
        branch.waits_for = Some(WaitsFor::Fork(Fork { results: vec![None; count], left: count, iterations }));
        if count == 0 {
            self.join(id, last_event);
            return Ok(());
        }
        let at_once = match concurrency {
            None | Some(0) => MAX_CONCURRENT_ITERATIONS,
            Some(limit) => limit.min(MAX_CONCURRENT_ITERATIONS),
        };
        for _ in 0..at_once.min(count as u64) {
            if let Err(fault) = self.start_iteration(id, map, last_event) {
                self.give_up_fork(id);
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Begins the next iteration that has not begun, if there is one; its first event follows `previous`.
    fn start_iteration(&mut self, id: BranchId, map: &Map, previous: u64) -> Result<(), Fault> {
        let Some(branch) = self.branches.get_mut(id) else { return Ok(()) };
        let Some(WaitsFor::Fork(Fork { iterations: Some(iterations), .. })) = &mut branch.waits_for else {
            return Ok(());
        };
        let Some(value) = iterations.items.get(iterations.next).cloned() else { return Ok(()) };
        let index = iterations.next;
        iterations.next += 1;
        let state_input = iterations.input.clone();
        let item = Arc::new(MapItem { index: index as u64, value: value.clone() });
        let input = match &map.item_selector {
            None => value,
            Some(selector) => self.evaluate(id, |scope| {
                let Some((branch, visit)) =
                    self.branches.get(id).and_then(|branch| Some((branch, branch.visit.as_ref()?)))
                else {
                    return Ok(Value::Null);
                };
                let surroundings = Surroundings { map_item: Some(&item), ..Surroundings::of(self, branch, visit) };
                selector.fill(&asl::Scope { environment: &surroundings, ..scope.with_input(&state_input) })
            })?,
        };
        let iteration = self.iteration(id, index);
        let started = self.append(previous, EventKind::MapIterationStarted(iteration));
        let next = Next::Enter(map.processor.start, input);
        let child = Branch::new(map.processor.clone(), Some(Parent { branch: id, index }), started, Some(item), next);
        let child = self.branches.add(child);
        self.ready.push_back(child);
        Ok(())
    }

    /// A branch has ended well: its result is kept, the next iteration begins, the last one joins.
    pub(super) fn branch_succeeded(&mut self, id: BranchId, output: Value) {
        let Some(branch) = self.branches.remove(id) else { return };
        let Some(Parent { branch: parent_id, index }) = branch.parent else { return };
        let Some((graph, visit)) = self.at(parent_id) else { return };
        let mut last_event = branch.last_event;
        if let Kind::Map(map) = &graph.state(visit.state).kind {
            let iteration = self.iteration(parent_id, index);
            let succeeded = self.append(branch.last_event, EventKind::MapIterationSucceeded(iteration));
            // The next iteration follows this one's last event; the state itself, the iteration's end.
            if let Err(fault) = self.start_iteration(parent_id, map, branch.last_event) {
                self.give_up_fork(parent_id);
                self.handle(parent_id, fault, Origin::Other);
                self.ready.push_back(parent_id);
                return;
            }
            last_event = succeeded;
        }
        let Some(parent) = self.branches.get_mut(parent_id) else { return };
        let Some(WaitsFor::Fork(fork)) = &mut parent.waits_for else { return };
        if let Some(result) = fork.results.get_mut(index) {
            *result = Some(output);
        }
        fork.left -= 1;
        if fork.left == 0 {
            self.join(parent_id, last_event);
            self.ready.push_back(parent_id);
        }
    }

    /// Every branch has ended well: the state's result is the array of theirs.
    fn join(&mut self, id: BranchId, last_event: u64) {
        let Some(branch) = self.branches.get_mut(id) else { return };
        let Some(WaitsFor::Fork(fork)) = branch.waits_for.take() else { return };
        branch.last_event = last_event;
        let result = Value::from(fork.results.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        let Some((graph, visit)) = self.at(id) else { return };
        let (kind, shape, transition) = match &graph.state(visit.state).kind {
            Kind::Parallel(parallel) => {
                (EventKind::ParallelStateSucceeded, parallel_shape(parallel), parallel.transition)
            }
            Kind::Map(map) => (EventKind::MapStateSucceeded, map_shape(map), map.transition),
            _ => return,
        };
        self.append(last_event, kind);
        self.finish(id, &result, &shape, transition);
    }

    /// A branch has failed, and its siblings are given up.
    pub(super) fn branch_failed(&mut self, id: BranchId, parent: Parent, fault: Fault) {
        let Some(branch) = self.branches.remove(id) else { return };
        let Some((graph, visit)) = self.at(parent.branch) else { return };
        if let Kind::Map(_) = graph.state(visit.state).kind {
            let iteration = self.iteration(parent.branch, parent.index);
            self.append(branch.last_event, EventKind::MapIterationFailed(iteration));
        }
        self.give_up_fork(parent.branch);
        if let Some(parent) = self.branches.get_mut(parent.branch) {
            parent.last_event = branch.last_event;
        }
        self.handle(parent.branch, fault, Origin::Other);
        self.ready.push_back(parent.branch);
    }

    /// The error of a Parallel or Map state that is not retried.
    pub(super) fn forked_work_failed(&mut self, id: BranchId, state: &State) {
        let started =
            self.branches.get(id).and_then(|branch| Some(branch.last_event > branch.visit.as_ref()?.entered_event));
        match (&state.kind, started) {
            (Kind::Parallel(_), Some(true)) => self.append_to(id, EventKind::ParallelStateFailed),
            (Kind::Map(_), Some(true)) => self.append_to(id, EventKind::MapStateFailed),
            _ => {}
        }
    }

    /// Gives up what a branch has forked: it waits for nothing any more.
    fn give_up_fork(&mut self, id: BranchId) {
        self.abort_children(id);
        if let Some(branch) = self.branches.get_mut(id) {
            branch.waits_for = None;
        }
    }

    /// Gives up every branch below this one: their calls are cancelled, and the history says so.
    fn abort_children(&mut self, id: BranchId) {
        for child_id in self.branches.children_of(id) {
            self.abort_children(child_id);
            let Some(child) = self.branches.remove(child_id) else { continue };
            if let Some(WaitsFor::Call { call, .. }) = &child.waits_for {
                self.commands.push(Command::CancelTask { call: *call });
            }
            let state_type = child.state().map(|state| state.kind.type_name());
            if let Some(state_type @ ("Task" | "Wait" | "Parallel" | "Map")) = state_type {
                self.append(child.last_event, EventKind::StateAborted { state_type });
            }
            let in_map =
                self.at(id).is_some_and(|(graph, visit)| matches!(graph.state(visit.state).kind, Kind::Map(_)));
            if let (true, Some(parent)) = (in_map, child.parent) {
                let iteration = self.iteration(id, parent.index);
                self.append(child.last_event, EventKind::MapIterationAborted(iteration));
            }
        }
    }

    fn iteration(&self, map: BranchId, index: usize) -> Iteration {
        let name = self.branches.get(map).and_then(|branch| branch.state()).map(|state| state.name.clone());
        Iteration { name: name.unwrap_or_default(), index: index as u64 }
    }
}

fn parallel_shape(parallel: &Parallel) -> ResultShape<'_> {
    ResultShape {
        io: &parallel.io,
        result_selector: parallel.result_selector.as_ref(),
        result_path: &parallel.result_path,
    }
}

fn map_shape(map: &Map) -> ResultShape<'_> {
    ResultShape { io: &map.io, result_selector: map.result_selector.as_ref(), result_path: &map.result_path }
}

fn not_an_array(map: &Map) -> Fault {
    let path = match &map.items_path {
        asl::machine::Selection::Path(path) => path.text(),
        _ => "$",
    };
    Fault::runtime(format!("Reference path \"{path}\" must point to array."))
}
