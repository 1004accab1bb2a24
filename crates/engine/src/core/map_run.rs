//! Distributed Map states: what they say is evaluated here, and carried out by the outside.

use std::sync::Arc;

use asl::{
    Fault, FieldError, Scope, Value,
    distributed::{self, Distributed},
    machine::{Count, Map, State},
    retry::Origin,
    template::Template,
};

use super::{
    CallId, Command, Execution,
    branch::{BranchId, WaitsFor},
    context::Surroundings,
    fork::MapInput,
    values,
};
use crate::{
    history::EventKind,
    map_run::{ItemBatcher, ItemReader, MapRun, ResultWriter, Selector, Source, StateItems, made_of, made_up_label},
};
use asl::context::Environment as _;

/// What is evaluated after the state tells how many items there are.
struct Data {
    source: Source,
    batcher: Option<ItemBatcher>,
    writer: ResultWriter,
}

impl Execution {
    pub(super) fn start_map_run(
        &mut self,
        id: BranchId,
        map: &Map,
        distributed: &Arc<Distributed>,
    ) -> Result<(), FieldError> {
        let before = self.evaluate(id, |scope, state| MapInput::distributed(map, distributed, state, scope))?;
        let length = before.items.as_ref().map_or(0, |items| items.count() as u64);
        self.append_to(id, EventKind::MapStateStarted { length });
        let tolerance = self.evaluate(id, |scope, _| before.tolerance(map, scope))?;
        let follows = self.branches.get(id).map_or(0, |branch| branch.last_event);
        let data = self.evaluate(id, |scope, state| data(distributed, &before, state, scope))?;
        let selector = map.item_selector.as_ref().map(|template| self.selector(id, template, &before.input));
        let Some(state) = self.branches.get(id).and_then(|branch| branch.state()).map(|state| state.name.clone())
        else {
            return Ok(());
        };

        let random = [self.random().to_le_bytes(), self.random().to_le_bytes()].concat();
        let uuid = made_of(&random);
        // Child executions of child executions are named by the machine that a client knows.
        let machine = self.identity.state_machine_arn.split('/').next().unwrap_or_default().to_owned();
        let label = distributed.label.clone().unwrap_or_else(|| made_up_label(&machine, &state));
        let state_machine_arn = format!("{machine}/{label}");
        let arn: Arc<str> = format!("{}:{uuid}", state_machine_arn.replacen(":stateMachine:", ":mapRun:", 1)).into();
        self.append_to(id, EventKind::MapRunStarted { map_run_arn: arn.clone() });
        let run = Arc::new(MapRun {
            id: CallId { branch: id, number: self.new_number() },
            arn,
            uuid,
            state,
            distributed: distributed.clone(),
            state_machine_arn: state_machine_arn.into(),
            started_at: self.now,
            source: data.source,
            batcher: data.batcher,
            writer: data.writer,
            max_concurrency: before.max_concurrency.and_then(|limit| u64::try_from(limit).ok()),
            tolerance,
            selector: selector.flatten(),
            redrive: None,
            follows,
        });
        self.commands.push(Command::StartMapRun(run.clone()));
        if let Some(branch) = self.branches.get_mut(id) {
            branch.waits_for = Some(WaitsFor::MapRun(run));
        }
        Ok(())
    }

    /// `ItemSelector` with its surroundings as they are now.
    fn selector(&self, id: BranchId, template: &Template, input: &Value) -> Option<Selector> {
        let branch = self.branches.get(id)?;
        let visit = branch.visit.as_ref()?;
        let surroundings = Surroundings::of(self, branch, visit);
        Some(Selector {
            template: template.clone(),
            input: if surroundings.state.flow.is_jsonata() { visit.input.clone() } else { input.clone() },
            context: surroundings.context(),
            variables: branch.variables.clone(),
            now: self.now,
            seed: self.random(),
            prefix: super::states::prefix(surroundings.state, visit),
        })
    }

    pub(super) fn map_run_ended(&mut self, run: CallId, result: Result<Value, Fault>) {
        let id = run.branch;
        let Some(branch) = self.branches.get_mut(id) else { return };
        branch.halt(Vec::new());
        let started = branch.last_event;
        match result {
            Ok(result) => {
                // There is nothing left of it: a state that makes nothing of the result has another one carried out.
                branch.wreckage = None;
                let succeeded = self.append(started, EventKind::MapRunSucceeded);
                self.append(succeeded, EventKind::MapStateSucceeded);
                // The state's exit follows the run's start, as the service has it.
                self.finish(id, &result);
            }
            Err(fault) => {
                branch.keep_wreckage(&fault);
                self.append_to(id, EventKind::MapRunFailed(fault.clone()));
                self.handle(id, fault, Origin::Other);
            }
        }
        self.ready.push_back(id);
    }
}

fn data(
    distributed: &Distributed,
    before: &MapInput<Option<StateItems>>,
    state: &State,
    scope: &Scope<'_>,
) -> Result<Data, FieldError> {
    // In JSONata `$states.input` is the state's own input, as everywhere in the state.
    let scope = if state.flow.is_jsonata() { scope } else { &scope.with_input(&before.input) };
    let source = match (&distributed.reader, &before.items) {
        (Some(reader), _) => Source::Reader(ItemReader {
            dataset: reader.dataset.clone(),
            parameters: reader.parameters.fill(scope)?,
            max_items: reader.max_items.as_ref().map(|count| values::integer(count, scope)).transpose()?,
        }),
        (None, Some(items)) => Source::State(items.clone()),
        (None, None) => Source::State(StateItems::Array(Arc::default())),
    };
    let batcher = distributed.batcher.as_ref().map(|batcher| self::batcher(batcher, scope)).transpose()?;
    let writer = match &distributed.writer {
        distributed::ResultWriter::State(transformation) => ResultWriter::State(*transformation),
        distributed::ResultWriter::Export { transformation, output_type, parameters } => ResultWriter::Export {
            transformation: *transformation,
            output_type: *output_type,
            parameters: parameters.fill(scope)?,
        },
    };
    Ok(Data { source, batcher, writer })
}

fn batcher(batcher: &distributed::ItemBatcher, scope: &Scope<'_>) -> Result<ItemBatcher, FieldError> {
    Ok(ItemBatcher {
        max_items: count(batcher.max_items.as_ref(), scope)?,
        max_bytes: count(batcher.max_bytes.as_ref(), scope)?,
        batch_input: batcher.batch_input.as_ref().map(|template| template.fill(scope)).transpose()?,
    })
}

fn count(count: Option<&Count>, scope: &Scope<'_>) -> Result<Option<u64>, FieldError> {
    count.map(|count| values::count(count, scope)).transpose()
}
