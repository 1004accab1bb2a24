//! Trying one state by itself, with its work mocked or done: what `TestState` does.
//!
//! A trial is an execution that begins at the state, and that is looked at as soon as the state is left or would be tried
//! again. What carries the state out is what carries it out in every execution.

use std::{cell::RefCell, sync::Arc};

use asl::{
    Fault, FieldError, Machine, Value,
    fault::names,
    flow::Stage,
    machine::{Graph, Kind, Map, Processing, State, StateId},
    retry::Origin,
    value::Object,
};
use time::OffsetDateTime;

use super::{
    Command, Execution, Happened, Identity,
    branch::{Branch, BranchId, Next, WaitsFor},
    context::MapItem,
    exit::merged,
    fork::MapInput,
};
use crate::{
    history::EventKind,
    map_run::{Item, ItemReader, MapRun, Source, Tolerance},
};

/// A state to be tried.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The definition that it is in.
    pub machine: Arc<Machine>,
    /// Its name.
    pub state: Arc<str>,
    /// What its execution is called, with the state's input.
    pub identity: Arc<Identity>,
    /// The context object that takes the place of the execution's own.
    pub context: Option<Value>,
    /// The variables that were assigned before.
    pub variables: Arc<Object>,
    /// What takes the place of the state's work.
    pub mock: Option<Mock>,
    /// How often the retrier that takes the mocked error has retried before.
    pub retry_count: u32,
    /// How many iterations of a Map state have failed.
    pub failed_iterations: Option<u64>,
    /// What stands for the data that a distributed Map state's `ItemReader` reads.
    pub dataset: Option<Dataset>,
}

/// Data that is not where an `ItemReader` says.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The data.
    pub data: Arc<str>,
    /// Reads it as the `ItemReader` would.
    pub read: fn(&ItemReader, &str) -> Result<Vec<Item>, Fault>,
}

/// What takes the place of a state's work.
#[derive(Clone, Debug)]
pub enum Mock {
    /// It gives this.
    Result(Value),
    /// It fails with this.
    Error(Fault),
}

/// Why a state can't be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// The definition has no state with this name.
    #[error("there is no such state")]
    NoSuchState,
    /// The state's work is that of other states, which are not part of a trial.
    #[error("the state can be tried with a mock alone")]
    NeedsMock,
    /// The state has no work that a mock could take the place of.
    #[error("the state has no work to be mocked")]
    HasNoWork,
    /// More iterations are said to have failed than there are.
    #[error("more iterations have failed than there are")]
    TooManyFailures,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Tried {
    /// How it went.
    pub verdict: Verdict,
    /// The data on its way through the state, as far as it came.
    pub stages: Vec<(Stage, Value)>,
    /// All variables after the state.
    pub variables: Arc<Object>,
    /// Which retrier and which catcher the state's error met.
    pub handlers: Handlers,
    /// The limits of a Map state, where they could be found out.
    pub limits: Option<MapLimits>,
}

/// How a trial went.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The state was left.
    Succeeded {
        /// Its output.
        output: Value,
        /// The state that comes next, unless the graph ends here.
        next: Option<Arc<str>>,
    },
    /// The state failed, and nothing caught that.
    Failed(Fault),
    /// The state failed, and would be tried again.
    Retriable {
        /// Its error.
        fault: Fault,
        /// After how many seconds it would be tried again.
        delay_seconds: u64,
    },
    /// The state failed, and a catcher took that.
    Caught {
        /// Its error.
        fault: Fault,
        /// What the catcher made of the error.
        output: Value,
        /// The catcher's state.
        next: Option<Arc<str>>,
    },
}

/// Where the handlers of an error are in `Retry` and `Catch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handlers {
    /// The retrier that takes the error, whether it has tries left or not.
    pub retrier: Option<usize>,
    /// The catcher that took it.
    pub catcher: Option<usize>,
}

/// What limits the iterations of a Map state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapLimits {
    /// How many iterations run at once; 0 is no limit but the service's.
    pub max_concurrency: u64,
    /// How many of them may fail.
    pub tolerance: Tolerance,
}

impl MapLimits {
    fn new(max_concurrency: Option<u64>, tolerance: Tolerance) -> Self {
        Self { max_concurrency: max_concurrency.unwrap_or(0), tolerance }
    }
}

/// What is noted in the course of a trial.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The context object that takes the place of the execution's own.
    pub(super) context: Option<Value>,
    stages: RefCell<Vec<(Stage, Value)>>,
    failure: Option<(Fault, Origin)>,
}

impl Notes {
    /// The state's data is this after a stage.
    pub(super) fn observe(&self, stage: Stage, value: &Value) {
        let mut stages = self.stages.borrow_mut();
        stages.retain(|(seen, _)| *seen != stage);
        stages.push((stage, value.clone()));
    }

    /// The state has failed, which its retriers and catchers are about to be asked about.
    pub(super) fn failed(&mut self, fault: &Fault, origin: Origin) {
        self.failure = Some((fault.clone(), origin));
    }
}

/// A mock, with what is said about the work that it takes the place of.
struct Mocked {
    mock: Mock,
    retry_count: u32,
    /// How many iterations of a Map state have failed.
    failed: u64,
    dataset: Option<Dataset>,
}

/// A trial of one state.
#[derive(Debug)]
pub struct Trial {
    execution: Execution,
    graph: Arc<Graph>,
    state: StateId,
    variables: Arc<Object>,
    limits: Option<MapLimits>,
}

impl Trial {
    /// Enters the state, and does its work as far as that can be done at once; returns what is to be done next.
    pub fn begin(setup: Setup) -> Result<(Self, Vec<Command>), TrialError> {
        let (graph, state) = setup.machine.find(&setup.state).ok_or(TrialError::NoSuchState)?;
        let (graph, input) = (graph.clone(), setup.identity.input.clone());
        let mut execution = Execution::new(setup.machine.clone(), setup.identity);
        execution.trial = Some(Box::new(Notes { context: setup.context, ..Notes::default() }));
        let role_arn = execution.identity.role_arn.clone();
        execution.append(0, EventKind::ExecutionStarted { input: input.clone(), role_arn });
        let branch = Branch::new(graph.clone(), None, 0, Next::Enter(state, input));
        execution.branches.add(Branch { variables: setup.variables.clone(), ..branch });
        let mut trial = Self { execution, graph, state, variables: setup.variables, limits: None };
        trial.execution.advance(BranchId::ROOT);
        trial.note_what_is_given();
        match setup.mock {
            Some(mock) => {
                let failed = setup.failed_iterations.unwrap_or(0);
                trial.mock(Mocked { mock, retry_count: setup.retry_count, failed, dataset: setup.dataset })?;
            }
            None if matches!(trial.state().kind, Kind::Parallel(_) | Kind::Map(_)) => {
                return Err(TrialError::NeedsMock);
            }
            None => {
                trial.execution.advance(BranchId::ROOT);
            }
        }
        let commands = trial.take_commands();
        Ok((trial, commands))
    }

    /// What the execution of the state is called.
    pub fn identity(&self) -> &Arc<Identity> {
        self.execution.identity()
    }

    /// Takes what happened to the state's work, and returns what is to be done next.
    pub fn step(&mut self, happened: Happened, now: OffsetDateTime) -> Vec<Command> {
        if self.execution.expects(&happened) {
            self.execution.now = now;
            self.take(happened);
        }
        self.take_commands()
    }

    /// What came of it, once that is known.
    pub fn tried(&self) -> Option<Tried> {
        let verdict = self.verdict()?;
        let (handlers, stages) = self.execution.trial.as_ref().map_or_else(Default::default, |notes| {
            let mut stages = notes.stages.borrow().clone();
            stages.retain(|(stage, _)| shows(&self.state().kind, *stage));
            (self.handlers(notes, &verdict), stages)
        });
        let assigned = self.left().and_then(|(_, assigned)| assigned);
        let variables = assigned.map_or_else(|| self.variables.clone(), |assigned| merged(&self.variables, assigned));
        Some(Tried { verdict, stages, variables, handlers, limits: self.limits })
    }

    /// What came of it where it takes too long.
    pub fn timed_out(&self) -> Tried {
        let verdict = Verdict::Failed(Fault::named(names::TIMEOUT));
        let (variables, limits) = (self.variables.clone(), self.limits);
        Tried { verdict, stages: Vec::new(), variables, handlers: Handlers::default(), limits }
    }

    fn state(&self) -> &State {
        self.graph.state(self.state)
    }

    fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.execution.commands)
    }

    fn observe(&self, stage: Stage, value: &Value) {
        if let Some(notes) = &self.execution.trial {
            notes.observe(stage, value);
        }
    }

    /// The stages that a state's data comes to without being worked on.
    fn note_what_is_given(&self) {
        match &self.state().kind {
            Kind::Pass(pass) => {
                if let Some(result) = &pass.result {
                    self.observe(Stage::Result, result);
                }
            }
            Kind::Fail(_) if !self.state().flow.is_jsonata() => {
                self.observe(Stage::InputPath, &self.execution.identity.input);
            }
            _ => {}
        }
    }

    fn take(&mut self, happened: Happened) {
        if let Happened::TaskSucceeded { output, .. } = &happened {
            self.observe(Stage::Result, output);
        }
        self.execution.take(happened);
    }

    /// Lets a mock take the place of the state's work, after what goes into the work was found out.
    fn mock(&mut self, mocked: Mocked) -> Result<(), TrialError> {
        let graph = self.graph.clone();
        match &graph.state(self.state).kind {
            Kind::Task(_) => {
                self.execution.advance(BranchId::ROOT);
                let called = self.take_commands().into_iter().find_map(|command| match command {
                    Command::StartTask(call) => Some(call.id),
                    _ => None,
                });
                // Without a call its fields could not be evaluated, and that is how it ended.
                if let Some(call) = called {
                    let result = self.mocked_result(mocked, Origin::Task, None)?;
                    self.take(match result {
                        Ok(output) => Happened::TaskSucceeded { call, output },
                        Err(fault) => Happened::TaskFailed { call, fault },
                    });
                }
            }
            Kind::Parallel(_) => {
                let input = self.execution.evaluate(BranchId::ROOT, |scope, state| state.flow.effective_input(scope));
                let result = self.mocked_result(mocked, Origin::Other, None)?;
                self.end_work(input.map(|_| result));
            }
            Kind::Map(map) => match map.processing {
                Processing::Inline => {
                    let ended = match self.inline_iterations(map) {
                        Ok(count) => Ok(self.mocked_result(mocked, Origin::Other, Some(count))?),
                        Err(error) => Err(error),
                    };
                    self.end_work(ended);
                }
                Processing::Distributed(_) => self.mock_map_run(mocked)?,
            },
            _ => return Err(TrialError::HasNoWork),
        }
        Ok(())
    }

    /// What the mocked work gives. Of a Map state's iterations, where they could be counted, more may not fail than are
    /// tolerated.
    fn mocked_result(
        &mut self,
        mocked: Mocked,
        origin: Origin,
        iterations: Option<u64>,
    ) -> Result<Result<Value, Fault>, TrialError> {
        if iterations.is_some_and(|count| mocked.failed > count) {
            return Err(TrialError::TooManyFailures);
        }
        let tolerance = self.limits.map(|limits| limits.tolerance);
        let fault = match mocked.mock {
            Mock::Result(result) => match tolerance {
                Some(tolerance) if tolerance.is_exceeded(mocked.failed, iterations.unwrap_or(0)) => Tolerance::fault(),
                _ => return Ok(Ok(result)),
            },
            Mock::Error(fault) => fault,
        };
        self.has_retried(&fault, origin, mocked.retry_count);
        Ok(Err(fault))
    }

    /// The retrier that takes this error has retried so often before.
    fn has_retried(&mut self, fault: &Fault, origin: Origin, count: u32) {
        let retrier = self.state().retriers().iter().position(|retrier| retrier.errors.matches(fault, origin));
        let branch = self.execution.branches.get_mut(BranchId::ROOT);
        if let (Some(retrier), Some(visit)) = (retrier, branch.and_then(|branch| branch.visit.as_mut()))
            && let Some(retries) = visit.retries.get_mut(retrier)
        {
            *retries = count;
        }
    }

    /// Finds out what goes into the iterations of an inline Map state, and how many there are.
    fn inline_iterations(&mut self, map: &Map) -> Result<u64, FieldError> {
        let found = self.execution.evaluate(BranchId::ROOT, |scope, state| MapInput::inline(map, state, scope))?;
        let tolerance = self.execution.evaluate(BranchId::ROOT, |scope, _| found.tolerance(map, scope))?;
        let max_concurrency = found.max_concurrency.and_then(|limit| u64::try_from(limit).ok());
        self.limits = Some(MapLimits::new(max_concurrency, tolerance));
        let items = found.items;
        if map.item_selector.is_some() {
            let inputs = (0..).zip(items.iter().cloned()).map(|(index, value)| {
                let item = MapItem { index, value };
                self.execution.iteration_input(BranchId::ROOT, map, &found.input, &item)
            });
            self.observe(Stage::ItemSelector, &inputs.collect::<Result<Vec<_>, _>>()?.into());
        }
        Ok(items.len() as u64)
    }

    /// Begins the Map Run of a distributed Map state, whose work the mock takes the place of.
    fn mock_map_run(&mut self, mocked: Mocked) -> Result<(), TrialError> {
        self.execution.advance(BranchId::ROOT);
        let run = self.take_commands().into_iter().find_map(|command| match command {
            Command::StartMapRun(run) => Some(run),
            _ => None,
        });
        // Without a run its fields could not be evaluated, and that is how it ended.
        let Some(run) = run else { return Ok(()) };
        self.limits = Some(MapLimits::new(run.max_concurrency, run.tolerance));
        let result = match self.run_iterations(&run, mocked.dataset.as_ref()) {
            Ok(count) => self.mocked_result(mocked, Origin::Other, count)?,
            Err(fault) => Err(fault),
        };
        self.take(Happened::MapRunEnded { run: run.id, result });
        Ok(())
    }

    /// Finds out what goes into the iterations of a Map Run, and how many there are, where its items are known.
    fn run_iterations(&self, run: &MapRun, dataset: Option<&Dataset>) -> Result<Option<u64>, Fault> {
        let items = match (&run.source, dataset) {
            (Source::State(items), _) => items.items(),
            (Source::Reader(_), None) => return Ok(None),
            (Source::Reader(reader), Some(dataset)) => {
                let items = (dataset.read)(reader, &dataset.data)?;
                if reader.dataset.has_items_pointer() {
                    let values: Vec<_> = items.iter().map(|item| item.value.clone()).collect();
                    self.observe(Stage::ItemsPointer, &values.into());
                }
                items
            }
        };
        if run.selector.is_some() {
            let inputs = (0..).zip(&items).map(|(index, item)| run.child_input(index, item));
            self.observe(Stage::ItemSelector, &inputs.collect::<Result<Vec<_>, _>>()?.into());
        }
        if run.batcher.is_some() {
            let batches = run.batches(&items)?.into_iter().map(|batch| batch.input);
            self.observe(Stage::ItemBatcher, &batches.collect::<Vec<_>>().into());
        }
        Ok(Some(items.len() as u64))
    }

    /// The end of the work of a Parallel or an inline Map state.
    fn end_work(&mut self, ended: Result<Result<Value, Fault>, FieldError>) {
        match ended {
            Ok(Ok(result)) => self.execution.finish(BranchId::ROOT, &result),
            Ok(Err(fault)) => self.execution.handle(BranchId::ROOT, fault, Origin::Other),
            Err(error) => self.execution.evaluation_failed(BranchId::ROOT, error),
        }
    }

    fn verdict(&self) -> Option<Verdict> {
        if let EventKind::ExecutionFailed(fault) = &self.execution.history.last()?.kind {
            return Some(Verdict::Failed(fault.clone()));
        }
        let failure = self.execution.trial.as_ref().and_then(|notes| notes.failure.clone());
        let branch = self.execution.branches.get(BranchId::ROOT);
        if let (Some(WaitsFor::Retry(timer)), Some((fault, _))) =
            (branch.and_then(|branch| branch.waits_for.as_ref()), &failure)
        {
            let delay = timer.map_or(time::Duration::MAX, |timer| timer.at - self.execution.now);
            let delay_seconds = delay.whole_seconds().unsigned_abs();
            return Some(Verdict::Retriable { fault: fault.clone(), delay_seconds });
        }
        let output = self.left()?.0.clone();
        let next = branch.and_then(|branch| match &branch.next {
            Some(Next::Enter(next, _)) => Some(self.graph.state(*next).name.clone()),
            _ => None,
        });
        Some(match failure {
            None => Verdict::Succeeded { output, next },
            Some((fault, _)) => Verdict::Caught { fault, output, next },
        })
    }

    /// What the state gave as it was left: its output, and the variables that it set.
    fn left(&self) -> Option<(&Value, Option<&Arc<Object>>)> {
        self.execution.history.iter().rev().find_map(|event| match &event.kind {
            EventKind::StateExited { output, assigned, .. } => Some((output, assigned.as_ref())),
            _ => None,
        })
    }

    fn handlers(&self, notes: &Notes, verdict: &Verdict) -> Handlers {
        let Some((fault, origin)) = &notes.failure else { return Handlers::default() };
        let (state, caught) = (self.state(), matches!(verdict, Verdict::Caught { .. }));
        let retrier = state.retriers().iter().position(|retrier| retrier.errors.matches(fault, *origin));
        let catcher = state.catchers().iter().position(|catcher| catcher.errors.matches(fault, *origin));
        Handlers { retrier, catcher: catcher.filter(|_| caught) }
    }
}

/// Whether the service tells of a stage in a state of this kind.
fn shows(kind: &Kind, stage: Stage) -> bool {
    match kind {
        Kind::Pass(pass) if pass.result.is_some() => {
            matches!(stage, Stage::Result | Stage::ResultSelector | Stage::ResultPath)
        }
        Kind::Pass(_) => stage != Stage::Arguments,
        Kind::Task(_) | Kind::Map(_) => true,
        Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed | Kind::Fail(_) => stage == Stage::InputPath,
        Kind::Parallel(_) => matches!(stage, Stage::ResultSelector | Stage::ResultPath),
    }
}
