//! What an execution has done so far, as a tree of states, read from its history events.

use asl::{Fault, Value};
use engine::{
    Event, EventKind,
    history::{Iteration, TaskType},
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
    /// The node that each event belongs to, by the event's id.
    node_of: Vec<Option<usize>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            roots: Vec::new(),
            status: Status::Running,
            output: None,
            fault: None,
            started_at: None,
            ended_at: None,
            node_of: vec![None],
        }
    }
}

impl Progress {
    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        let previous = usize::try_from(event.previous_id).ok().and_then(|id| *self.node_of.get(id)?);
        let node = self.node_of(event, previous);
        self.node_of.push(node);
        match &event.kind {
            EventKind::ExecutionStarted { .. } => self.started_at = Some(event.at),
            EventKind::ExecutionSucceeded { output } => {
                self.output = Some(output.clone());
                self.end(Status::Succeeded, event.at);
            }
            EventKind::ExecutionFailed(fault) | EventKind::ExecutionTimedOut(fault) => {
                self.fault = Some(fault.clone());
                self.end(Status::Failed, event.at);
            }
            EventKind::ExecutionAborted(fault) => {
                self.fault = Some(fault.clone());
                self.end(Status::Aborted, event.at);
            }
            kind => {
                if let Some(node) = node.and_then(|node| self.nodes.get_mut(node)) {
                    node.apply(kind, event.at);
                }
            }
        }
    }

    /// Adds a line that a function wrote for a state: to its latest stay there.
    pub fn log(&mut self, state: &str, line: &str) {
        if let Some(node) = self.nodes.iter_mut().rev().find(|node| node.name == state) {
            node.logs.push(line.to_owned());
        }
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
            EventKind::MapIterationSucceeded(Iteration { index, .. })
            | EventKind::MapIterationFailed(Iteration { index, .. })
            | EventKind::MapIterationAborted(Iteration { index, .. }) => {
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
            EventKind::StateAborted { state_type } => self.enclosing(previous?, |node| node.kind == *state_type),
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
        std::iter::successors(Some(from), |index| self.nodes[*index].parent)
            .find(|index| self.nodes[*index].left_at.is_none() && wanted(&self.nodes[*index]))
    }

    fn end(&mut self, status: Status, at: OffsetDateTime) {
        self.status = status;
        self.ended_at = Some(at);
        let fault = self.fault.clone();
        for node in self.nodes.iter_mut().filter(|node| node.status == Status::Running) {
            node.status = if status == Status::Aborted { Status::Aborted } else { Status::Failed };
            node.left_at = Some(at);
            if node.fault.is_none() {
                node.fault.clone_from(&fault);
            }
        }
    }
}

impl Node {
    fn apply(&mut self, kind: &EventKind, at: OffsetDateTime) {
        match kind {
            EventKind::StateExited { .. } | EventKind::MapIterationSucceeded(_) => {
                self.status = if self.failed_last { Status::Caught } else { Status::Succeeded };
                self.left_at = Some(at);
            }
            EventKind::MapIterationFailed(_) => self.leave(Status::Failed, at),
            EventKind::MapIterationAborted(_) | EventKind::StateAborted { .. } => self.leave(Status::Aborted, at),
            EventKind::MapRunFailed(fault)
            | EventKind::LambdaFunctionFailed(fault)
            | EventKind::LambdaFunctionTimedOut(fault)
            | EventKind::TaskFailed(TaskType { .. }, fault)
            | EventKind::TaskTimedOut(TaskType { .. }, fault) => {
                self.fault = Some(fault.clone());
                self.failed_last = true;
            }
            EventKind::ParallelStateFailed | EventKind::MapStateFailed => {
                self.failed_last = true;
            }
            EventKind::LambdaFunctionScheduled { .. }
            | EventKind::TaskScheduled { .. }
            | EventKind::ParallelStateStarted
            | EventKind::MapStateStarted { .. } => {
                self.tries += 1;
                self.failed_last = false;
            }
            _ => {}
        }
    }

    fn leave(&mut self, status: Status, at: OffsetDateTime) {
        self.status = status;
        self.left_at = Some(at);
    }
}
