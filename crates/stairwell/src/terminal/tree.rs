//! The tree of an execution, and of those that it started, as text.

use std::{collections::HashSet, fmt::Write, sync::Arc};

use asl::Fault;
use engine::core::rests::Until;
use time::OffsetDateTime;

use super::{
    duration::took,
    family::{Family, Member},
    faults::Faults,
    log_line::LogText,
    progress::{Node, Progress, Status},
    rest,
    style::{BOLD, DIM, GREEN, RED, YELLOW, harmless, painted},
};

/// The frames of the sign of something that goes on.
const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How many child executions of a Map Run are shown state by state.
const MOST_CHILDREN: usize = 10;

/// A tree that is being written.
struct Tree<'f> {
    family: &'f Family,
    /// The executions that were written, by their ARNs.
    written: HashSet<&'f str>,
    now: OffsetDateTime,
    frame: usize,
    faults: Faults,
    text: String,
}

/// Each execution that no other has started, and below it a line for each state, each log line, and each execution that a
/// state has started. `frame` counts the redrawings of a live one.
pub fn render(family: &Family, now: OffsetDateTime, frame: usize) -> String {
    let (written, faults, text) = (HashSet::new(), Faults::default(), String::new());
    let mut tree = Tree { family, written, now, frame, faults, text };
    let is_started: HashSet<&str> = family
        .members
        .values()
        .flat_map(|member| &member.progress.nodes)
        .flat_map(|node| node.started.iter().map(|arn| &**arn))
        .collect();
    for (index, (arn, member)) in family.members.iter().enumerate() {
        // A child execution of a Map Run is told with the state that began the run.
        if index == 0 || (!is_started.contains(&**arn) && member.map_run.is_none()) {
            tree.execution(arn, member, 0);
        }
    }
    tree.text
}

impl<'f> Tree<'f> {
    fn execution(&mut self, arn: &'f Arc<str>, member: &'f Member, depth: usize) {
        if !self.written.insert(arn) {
            return;
        }
        let line = ending(&member.progress, &member.title, &mut self.faults);
        self.line(depth, format_args!("{line}"));
        for root in &member.progress.roots {
            self.node(&member.progress, *root, depth + 1);
        }
    }

    fn node(&mut self, progress: &'f Progress, index: usize, depth: usize) {
        let shown = &progress.nodes[index];
        let took = took(&progress.clock, shown.entered_at, shown.left_at.unwrap_or(self.now));
        let again = match shown.tries {
            0 | 1 => String::new(),
            tries => painted(YELLOW, format_args!("tried {tries} times")),
        };
        let goes_on = shown.status == Status::Running;
        let rest = shown.rest.as_ref().filter(|_| goes_on).map(|until| rest::words(until, &progress.clock));
        let rest = painted(YELLOW, rest.unwrap_or_default());
        let line = joined(&[sign(shown.status, self.frame), harmless(&shown.name), painted(DIM, took), again, rest]);
        self.line(depth, format_args!("{line}"));
        for line in shown.logs.iter().map(|line| LogText(line)) {
            if line.error().is_none_or(|error| self.faults.note(&error)) {
                self.line(depth + 1, format_args!("{} {line}", painted(DIM, "│")));
            }
        }
        for arn in &shown.started {
            if let Some((arn, member)) = self.family.members.get_key_value(arn) {
                self.execution(arn, member, depth + 1);
            }
        }
        for map_run in &shown.map_runs {
            self.map_run(map_run, depth + 1);
        }
        if let Some(fault) = own_fault(progress, shown) {
            let failure = self.faults.tell(fault);
            self.line(depth + 1, format_args!("{failure}"));
        }
        let mut branch = None;
        let mut children = shown.children.clone();
        children.sort_by_key(|child| progress.nodes[*child].branch);
        for child in children {
            let child_branch = progress.nodes[child].branch;
            if let (Some(number), true) = (child_branch, child_branch != branch) {
                self.line(depth + 1, format_args!("{}", painted(DIM, format_args!("branch {number}"))));
                branch = child_branch;
            }
            self.node(progress, child, depth + 1 + usize::from(child_branch.is_some()));
        }
    }

    /// The child executions of a Map Run: those that have not succeeded first, and the rest as a count.
    fn map_run(&mut self, map_run: &Arc<str>, depth: usize) {
        let members = self.family.members.iter();
        let mut children: Vec<_> = members.filter(|(_, member)| member.map_run.as_ref() == Some(map_run)).collect();
        children.sort_by_key(|(_, member)| member.progress.status == Status::Succeeded);
        for (arn, member) in children.iter().take(MOST_CHILDREN) {
            self.execution(arn, member, depth);
        }
        let others = children.get(MOST_CHILDREN..).unwrap_or_default();
        if !others.is_empty() {
            let count = |status| others.iter().filter(|(_, member)| member.progress.status == status).count();
            let (succeeded, running) = (count(Status::Succeeded), count(Status::Running));
            let counts =
                [(succeeded, "succeeded"), (running, "running"), (others.len() - succeeded - running, "failed")];
            let there = counts.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}"));
            let text = format!("and {} more child executions: {}", others.len(), there.collect::<Vec<_>>().join(", "));
            self.line(depth, format_args!("{}", painted(DIM, text)));
        }
    }

    fn line(&mut self, depth: usize, line: std::fmt::Arguments<'_>) {
        // Writing to a String can't fail.
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(depth));
    }
}

/// The parts of a line that there are, with blanks between.
fn joined(parts: &[String]) -> String {
    let there = parts.iter().filter(|part| !anstream::adapter::strip_str(part).to_string().is_empty());
    there.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The error of a state, where neither a state inside it nor the execution's own line tells it.
fn own_fault<'a>(progress: &Progress, node: &'a Node) -> Option<&'a Fault> {
    let is_tried_again = matches!(node.rest, Some(Until::Retry(_)));
    let wrong = matches!(node.status, Status::Caught | Status::Failed) || is_tried_again;
    let wrong = wrong && node.children.is_empty();
    node.fault.as_ref().filter(|fault| wrong && progress.fault.as_ref() != Some(*fault))
}

fn sign(status: Status, frame: usize) -> String {
    match status {
        Status::Running => painted(YELLOW, FRAMES[frame % FRAMES.len()]),
        Status::Succeeded => painted(GREEN, "✓"),
        Status::Caught => painted(YELLOW, "↷"),
        Status::Failed => painted(RED, "✗"),
        Status::Aborted => painted(DIM, "■"),
    }
}

/// How an execution ended, on one line.
pub(super) fn ending(progress: &Progress, title: &str, faults: &mut Faults) -> String {
    let took = match (progress.started_at, progress.ended_at) {
        (Some(started), Some(ended)) => took(&progress.clock, started, ended),
        _ => String::new(),
    };
    let took = if took.is_empty() { took } else { painted(DIM, format_args!("after {took}")) };
    let status = match progress.status {
        Status::Succeeded => painted(GREEN, "succeeded"),
        Status::Aborted => painted(RED, "was aborted"),
        Status::Running => painted(YELLOW, "is running"),
        Status::Failed | Status::Caught => painted(RED, "failed"),
    };
    let line = joined(&[painted(BOLD, title), status, took]);
    match (&progress.fault, progress.status) {
        (Some(Fault { error: None, cause: None }), _) => line,
        (Some(fault), Status::Failed | Status::Aborted) => match faults.tell(fault) {
            // A state has told it.
            told if told.is_empty() => line,
            told => format!("{line}: {told}"),
        },
        _ => line,
    }
}

/// That a node is tried once more, and why.
pub(super) fn again(progress: &Progress, node: &Node, faults: &mut Faults) -> String {
    retry(progress, node, format!("try {}, after", node.tries), faults)
}

/// That a node has failed and will be tried once more: when, and why.
pub(super) fn will_be_tried(progress: &Progress, node: &Node, when: &str, faults: &mut Faults) -> String {
    retry(progress, node, format!("{when}, after"), faults)
}

fn retry(progress: &Progress, node: &Node, what: String, faults: &mut Faults) -> String {
    let why = node.fault.as_ref().map(|fault| faults.tell(fault)).unwrap_or_default();
    joined(&[painted(YELLOW, "↻"), harmless(&node.name), place(progress, node), painted(DIM, what), why])
}

/// Which item a node belongs to, where that is not seen by a tree: the state that an item is of, or the item that a state is
/// for.
fn place(progress: &Progress, node: &Node) -> String {
    let mut around = std::iter::successors(Some(node), |node| progress.nodes.get(node.parent?)).skip(1);
    let place = match node.kind {
        "Iteration" => around.next().map(|map| format!("of {}", harmless(&map.name))),
        _ => around.find(|node| node.kind == "Iteration").map(|item| format!("for {}", harmless(&item.name))),
    };
    place.map(|place| painted(DIM, place)).unwrap_or_default()
}

/// One node's line without its tree, for output that can't be redrawn.
pub(super) fn line(progress: &Progress, node: &Node, faults: &mut Faults) -> String {
    let took = node.left_at.map_or_else(String::new, |left| took(&progress.clock, node.entered_at, left));
    let line = joined(&[sign(node.status, 0), harmless(&node.name), place(progress, node), painted(DIM, took)]);
    match (node.status, &node.fault) {
        (Status::Caught | Status::Failed, Some(fault)) => format!("{line}  {}", faults.tell(fault)),
        _ => line,
    }
}
