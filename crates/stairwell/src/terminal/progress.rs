//! What an execution has done so far, as a tree of states, read from its history events.

use std::{collections::HashSet, sync::Arc};

use asl::{Fault, Value};
use engine::{
    Event, EventKind,
    core::rests::{Rest, Until},
    history::{Iteration, TaskType},
    run::Clock,
};
use time::OffsetDateTime;

/// A state, or an iteration of a Map state, that was entered.
#[derive(Debug)]
pub struct Node {
    /// The state's name, or `item <index>`.
    pub name: String,
    /// The state's type; `Iteration` for an iteration.
    pub kind: &'static str,
    /// What it is inside of.
    pub parent: Option<usize>,
    /// Which branch of a Parallel state it is in, counted from 1.
    pub branch: Option<usize>,
    /// What is inside of it, in the order of entry.
    pub children: Vec<usize>,
    /// When it was entered.
    pub entered_at: OffsetDateTime,
    /// When it was left.
    pub left_at: Option<OffsetDateTime>,
    /// How it is.
    pub status: Status,
    /// How often its work was begun.
    pub tries: u32,
    /// What went wrong last.
    pub fault: Option<Fault>,
    /// What the functions that it called wrote.
    pub logs: Vec<String>,
    /// What it waits for, where nothing is at work.
    pub rest: Option<Until>,
    /// The executions that it started, by their ARNs.
    pub started: Vec<Arc<str>>,
    /// The Map Runs that it began, whose child executions are part of it.
    pub map_runs: Vec<Arc<str>>,
    /// Whether its last try went wrong.
    failed_last: bool,
}

/// How a state is, or how an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It goes on.
    Running,
    /// It is done.
    Succeeded,
    /// It went wrong, and the error was caught.
    Caught,
    /// It went wrong.
    Failed,
    /// It was given up.
    Aborted,
}

/// An execution's tree.
#[derive(Debug)]
pub struct Progress {
    /// Every node, in the order of entry.
    pub nodes: Vec<Node>,
    /// The nodes that are inside of no other.
    pub roots: Vec<usize>,
    /// How the execution is.
    pub status: Status,
    /// What it gave, once it has succeeded.
    pub output: Option<Value>,
    /// Why it ended, if it did not succeed.
    pub fault: Option<Fault>,
    /// When it was started.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// What its times are of.
    pub clock: Clock,
    /// The node that each event belongs to, by the event's id.
    node_of: Vec<Option<usize>>,
}

impl Progress {
    /// An execution of which nothing is known yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            nodes: Vec::new(),
            roots: Vec::new(),
            status: Status::Running,
            output: None,
            fault: None,
            started_at: None,
            ended_at: None,
            clock,
            node_of: vec![None],
        }
    }

    /// Takes the next event. Gives the nodes that are not what they were, in the order of entry: what an event costs does
    /// not grow with the execution.
    pub fn apply(&mut self, event: &Event) -> Vec<usize> {
        let previous = usize::try_from(event.previous_id).ok().and_then(|id| *self.node_of.get(id)?);
        let node = self.node_of(event, previous);
        self.node_of.push(node);
        match &event.kind {
            EventKind::ExecutionStarted { .. } => {
                self.started_at = Some(event.at);
                Vec::new()
            }
            EventKind::ExecutionSucceeded { output } => {
                self.output = Some(output.clone());
                self.end(Status::Succeeded, event.at, previous)
            }
            EventKind::ExecutionFailed(fault) | EventKind::ExecutionTimedOut(fault) => {
                self.fault = Some(fault.clone());
                self.end(Status::Failed, event.at, previous)
            }
            EventKind::ExecutionAborted(fault) => {
                self.fault = Some(fault.clone());
                self.end(Status::Aborted, event.at, previous)
            }
            EventKind::ExecutionRedriven { .. } => self.redriven(event.at),
            kind => {
                let Some(index) = node else { return Vec::new() };
                self.reopen(index);
                if let Some(node) = self.nodes.get_mut(index) {
                    node.apply(kind, event.at);
                }
                vec![index]
            }
        }
    }

    /// It goes on: what did not end well may, as soon as something happens to it. How long it lay there is no time that
    /// anything took.
    fn redriven(&mut self, at: OffsetDateTime) -> Vec<usize> {
        self.status = Status::Running;
        self.fault = None;
        (self.started_at, self.ended_at) = (Some(at), None);
        let mut changed = Vec::new();
        let ended_badly = |node: &Node| matches!(node.status, Status::Failed | Status::Aborted);
        for (index, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| ended_badly(node)) {
            (node.entered_at, node.left_at, node.failed_last) = (at, None, false);
            changed.push(index);
        }
        changed
    }

    /// Something happens to a node: it goes on, with all that it is inside of.
    fn reopen(&mut self, node: usize) {
        let mut next = Some(node);
        while let Some(node) = next.and_then(|node| self.nodes.get_mut(node)) {
            if node.left_at.is_none() && matches!(node.status, Status::Failed | Status::Aborted) {
                node.status = Status::Running;
            }
            next = node.parent;
        }
    }

    /// Adds a line that a function wrote for a state: to its latest stay there.
    pub fn log(&mut self, state: &str, line: &str) {
        if let Some(node) = self.nodes.iter_mut().rev().find(|node| node.name == state) {
            node.logs.push(line.to_owned());
        }
    }

    /// Takes what the execution rests at now.
    pub fn rest(&mut self, rests: &[Rest]) {
        for node in &mut self.nodes {
            node.rest = None;
        }
        for rest in rests {
            let Some(node) = self.entered_by(rest.entered_event) else { continue };
            self.reopen(node);
            if let Some(node) = self.nodes.get_mut(node) {
                node.rest = Some(rest.until.clone());
            }
        }
    }

    /// The state that this event enters.
    pub fn entered_by(&self, event: u64) -> Option<usize> {
        usize::try_from(event).ok().and_then(|event| *self.node_of.get(event)?)
    }

    /// How many nodes a node is inside of.
    pub fn depth(&self, node: usize) -> usize {
        self.outward(node).skip(1).count()
    }

    /// A node, and then all that it is inside of, from the nearest on.
    fn outward(&self, from: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(from), |index| self.nodes[*index].parent)
    }

    /// The states that it is at: those that go on, and have nothing inside them that does.
    pub fn at(&self) -> impl Iterator<Item = &Node> {
        let goes_on = |node: &Node| node.status == Status::Running;
        let is_innermost =
            move |node: &&Node| goes_on(node) && !node.children.iter().any(|child| goes_on(&self.nodes[*child]));
        self.nodes.iter().filter(is_innermost)
    }

    /// The node that an event belongs to, made where the event enters one.
    fn node_of(&mut self, event: &Event, previous: Option<usize>) -> Option<usize> {
        match &event.kind {
            EventKind::StateEntered { state_type, name, .. } => {
                let parent = previous.and_then(|previous| self.around(previous));
                let branch = previous.and_then(|previous| self.branch(previous, parent));
                let node = self.enter(name.to_string(), state_type, parent, event.at);
                self.nodes[node].branch = branch;
                Some(node)
            }
            EventKind::MapIterationStarted(Iteration { name, index }) => {
                let map = self.enclosing(previous?, |node| node.kind == "Map" && *node.name == **name);
                Some(self.enter(format!("item {index}"), "Iteration", map, event.at))
            }
            EventKind::MapIterationAborted(Iteration { index, .. }) => self.given_up_iteration(previous?, *index),
            EventKind::MapIterationSucceeded(Iteration { index, .. })
            | EventKind::MapIterationFailed(Iteration { index, .. }) => {
                let wanted = format!("item {index}");
                self.enclosing(previous?, |node| node.kind == "Iteration" && node.name == wanted)
            }
            EventKind::StateExited { name, state_type, .. } => {
                self.enclosing(previous?, |node| node.kind == *state_type && *node.name == **name)
            }
            EventKind::ParallelStateSucceeded | EventKind::ParallelStateFailed => {
                self.enclosing(previous?, |node| node.kind == "Parallel")
            }
            EventKind::MapStateStarted { .. } | EventKind::MapStateSucceeded | EventKind::MapStateFailed => {
                self.enclosing(previous?, |node| node.kind == "Map")
            }
            EventKind::ParallelStateStarted => self.enclosing(previous?, |node| node.kind == "Parallel"),
            EventKind::StateAborted { state_type } => self.given_up(previous?, state_type),
            EventKind::MapRunAborted => None,
            _ => previous,
        }
    }

    fn enter(&mut self, name: String, kind: &'static str, parent: Option<usize>, at: OffsetDateTime) -> usize {
        let index = self.nodes.len();
        self.nodes.push(Node {
            name,
            kind,
            parent,
            branch: None,
            children: Vec::new(),
            entered_at: at,
            left_at: None,
            status: Status::Running,
            tries: 0,
            fault: None,
            logs: Vec::new(),
            rest: None,
            started: Vec::new(),
            map_runs: Vec::new(),
            failed_last: false,
        });
        match parent.and_then(|parent| self.nodes.get_mut(parent)) {
            Some(parent) => parent.children.push(index),
            None => self.roots.push(index),
        }
        index
    }

    /// What a state is inside of that is entered after an event of this node: the node itself where it is open and
    /// holds others, else what the node is inside of.
    fn around(&self, previous: usize) -> Option<usize> {
        let node = &self.nodes[previous];
        let holds = matches!(node.kind, "Parallel" | "Map" | "Iteration") && node.left_at.is_none();
        if holds { Some(previous) } else { node.parent }
    }

    /// The branch of a state that is entered after an event of `previous`: the same one, or the next of a Parallel state.
    fn branch(&self, previous: usize, parent: Option<usize>) -> Option<usize> {
        let parallel = parent.map(|parent| &self.nodes[parent]).filter(|parent| parent.kind == "Parallel")?;
        if Some(previous) != parent {
            return self.nodes[previous].branch;
        }
        let begun = parallel.children.iter().filter_map(|child| self.nodes[*child].branch).max();
        Some(begun.unwrap_or(0) + 1)
    }

    /// The nearest node, from this one outward, that is wanted and open.
    fn enclosing(&self, from: usize, wanted: impl Fn(&Node) -> bool) -> Option<usize> {
        self.outward(from).find(|index| self.nodes[*index].left_at.is_none() && wanted(&self.nodes[*index]))
    }

    /// The state of this type that is given up because of a failure: one beside it that is open; else its own.
    fn given_up(&self, failure: usize, state_type: &str) -> Option<usize> {
        let beside = self.open_beside(failure).find(|index| self.nodes[*index].kind == state_type);
        beside.or_else(|| self.enclosing(failure, |node| node.kind == state_type))
    }

    /// The iteration that is given up because another one has failed.
    fn given_up_iteration(&self, failure: usize, index: u64) -> Option<usize> {
        let wanted = format!("item {index}");
        self.open_beside(failure)
            .find(|index| self.nodes[*index].kind == "Iteration" && self.nodes[*index].name == wanted)
    }

    /// What is open and inside of the same Parallel or Map state as a failure, but is not what failed, nor around it.
    fn open_beside(&self, failure: usize) -> impl Iterator<Item = usize> {
        let line: Vec<usize> = self.outward(failure).collect();
        let fork = line.iter().copied().find(|index| {
            let node = &self.nodes[*index];
            *index != failure && node.left_at.is_none() && matches!(node.kind, "Parallel" | "Map")
        });
        (0..self.nodes.len()).filter(move |index| {
            let mut around = self.outward(*index).skip(1);
            !line.contains(index)
                && self.nodes[*index].left_at.is_none()
                && fork.is_some_and(|fork| around.any(|one| one == fork))
        })
    }

    /// Ends the execution, and all that goes on in it. Where it fails, `last` is the node that the event before belongs to.
    fn end(&mut self, status: Status, at: OffsetDateTime, last: Option<usize>) -> Vec<usize> {
        self.status = status;
        self.ended_at = Some(at);
        let to_blame = self.to_blame(last);
        let mut changed = Vec::new();
        for (index, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| node.status == Status::Running) {
            let failed = status != Status::Aborted && (to_blame.is_empty() || to_blame.contains(&index));
            node.leave(if failed { Status::Failed } else { Status::Aborted }, at);
            if failed && node.fault.is_none() {
                node.fault.clone_from(&self.fault);
            }
            changed.push(index);
        }
        changed
    }

    /// The nodes that an execution fails by: those that went wrong, and all that they are inside of. What else goes on is
    /// given up.
    fn to_blame(&self, last: Option<usize>) -> HashSet<usize> {
        let went_wrong = |index: &usize| self.nodes[*index].status == Status::Running && self.nodes[*index].failed_last;
        let wrong: Vec<usize> = (0..self.nodes.len()).filter(went_wrong).collect();
        let from = if wrong.is_empty() { last.into_iter().collect() } else { wrong };
        from.into_iter().flat_map(|node| self.outward(node)).collect()
    }
}

impl Node {
    fn apply(&mut self, kind: &EventKind, at: OffsetDateTime) {
        self.note_started(kind);
        match kind {
            EventKind::StateExited { .. } | EventKind::MapIterationSucceeded(_) => {
                self.status = if self.failed_last { Status::Caught } else { Status::Succeeded };
                self.left_at = Some(at);
            }
            EventKind::MapIterationFailed(_) => self.leave(Status::Failed, at),
            // What failed by itself is given up too.
            EventKind::StateAborted { .. } if self.failed_last => self.leave(Status::Failed, at),
            EventKind::MapIterationAborted(_) | EventKind::StateAborted { .. } => self.leave(Status::Aborted, at),
            EventKind::ActivityScheduled { .. }
            | EventKind::LambdaFunctionScheduled { .. }
            | EventKind::TaskScheduled { .. }
            | EventKind::ParallelStateStarted
            | EventKind::MapStateStarted { .. } => {
                self.tries += 1;
                self.failed_last = false;
                self.rest = None;
            }
            kind => {
                let Some(failure) = own_failure(kind) else { return };
                self.failed_last = true;
                if let Failure::Of(fault) = failure {
                    self.fault = Some(fault.clone());
                }
            }
        }
    }

    /// Notes the executions that it has started: `startExecution` answers with the ARN, and again at its end.
    fn note_started(&mut self, kind: &EventKind) {
        match kind {
            EventKind::TaskSubmitted { task, output } | EventKind::TaskSucceeded { task, output }
                if &*task.resource_type == "states" && task.resource.starts_with("startExecution") =>
            {
                if let Some(Value::String(arn)) = output.get("ExecutionArn")
                    && !self.started.iter().any(|started| **started == **arn)
                {
                    self.started.push((&**arn).into());
                }
            }
            EventKind::MapRunStarted { map_run_arn } => self.map_runs.push(map_run_arn.clone()),
            _ => {}
        }
    }

    fn leave(&mut self, status: Status, at: OffsetDateTime) {
        self.status = status;
        self.left_at = Some(at);
    }
}

/// How the work of a state goes wrong.
pub(super) enum Failure<'e> {
    /// With this.
    Of(&'e Fault),
    /// By the states inside of it, which tell with what.
    Inside,
}

/// Whether the work of a state goes wrong with this event.
pub(super) fn own_failure(kind: &EventKind) -> Option<Failure<'_>> {
    match kind {
        EventKind::EvaluationFailed { fault, .. }
        | EventKind::MapRunFailed(fault)
        | EventKind::ActivityScheduleFailed(fault)
        | EventKind::ActivityFailed(fault)
        | EventKind::ActivityTimedOut(fault)
        | EventKind::LambdaFunctionScheduleFailed(fault)
        | EventKind::LambdaFunctionStartFailed(fault)
        | EventKind::LambdaFunctionFailed(fault)
        | EventKind::LambdaFunctionTimedOut(fault)
        | EventKind::TaskStartFailed(TaskType { .. }, fault)
        | EventKind::TaskSubmitFailed(TaskType { .. }, fault)
        | EventKind::TaskFailed(TaskType { .. }, fault)
        | EventKind::TaskTimedOut(TaskType { .. }, fault) => Some(Failure::Of(fault)),
        EventKind::ParallelStateFailed | EventKind::MapStateFailed => Some(Failure::Inside),
        _ => None,
    }
}
