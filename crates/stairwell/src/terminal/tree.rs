//! The tree of an execution as text.

use std::fmt::Write;

use asl::Fault;
use time::OffsetDateTime;

use super::{
    duration,
    faults::Faults,
    log_line::LogText,
    progress::{Node, Progress, Status},
    style::{BOLD, DIM, GREEN, RED, YELLOW, painted},
};

/// The frames of the sign of something that goes on.
const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// A tree that is being written.
struct Tree<'p> {
    progress: &'p Progress,
    now: OffsetDateTime,
    frame: usize,
    faults: Faults,
    text: String,
}

/// The execution, and below it a line for each state and each log line. `frame` counts the redrawings of a live one.
pub fn render(progress: &Progress, title: &str, now: OffsetDateTime, frame: usize) -> String {
    let mut tree = Tree { progress, now, frame, faults: Faults::default(), text: String::new() };
    tree.text = ending(progress, title, &mut tree.faults);
    tree.text.push('\n');
    for root in &progress.roots {
        tree.node(*root, 1);
    }
    tree.text
}

impl Tree<'_> {
    fn node(&mut self, index: usize, depth: usize) {
        let shown = &self.progress.nodes[index];
        let indent = "  ".repeat(depth);
        let took = duration(shown.left_at.unwrap_or(self.now) - shown.entered_at);
        let again = match shown.tries {
            0 | 1 => String::new(),
            tries => painted(YELLOW, format_args!("tried {tries} times")),
        };
        let parts = [sign(shown.status, self.frame), shown.name.clone(), painted(DIM, took), again];
        self.line(format_args!("{indent}{}", joined(&parts)));
        for line in shown.logs.iter().map(|line| LogText(line)) {
            if line.error().is_none_or(|error| self.faults.note(&error)) {
                self.line(format_args!("{indent}  {} {line}", painted(DIM, "│")));
            }
        }
        if let Some(fault) = own_fault(self.progress, shown) {
            let failure = self.faults.tell(fault);
            self.line(format_args!("{indent}  {failure}"));
        }
        let mut branch = None;
        let mut children = shown.children.clone();
        children.sort_by_key(|child| self.progress.nodes[*child].branch);
        for child in children {
            let child_branch = self.progress.nodes[child].branch;
            if let (Some(number), true) = (child_branch, child_branch != branch) {
                self.line(format_args!("{indent}  {}", painted(DIM, format_args!("branch {number}"))));
                branch = child_branch;
            }
            self.node(child, depth + 1 + usize::from(child_branch.is_some()));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String can't fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// The parts of a line that there are, with blanks between.
fn joined(parts: &[String]) -> String {
    let there = parts.iter().filter(|part| !anstream::adapter::strip_str(part).to_string().is_empty());
    there.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The error of a state, where neither a state inside it nor the execution's own line tells it.
fn own_fault<'a>(progress: &Progress, node: &'a Node) -> Option<&'a Fault> {
    let wrong = matches!(node.status, Status::Caught | Status::Failed) && node.children.is_empty();
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
        (Some(started), Some(ended)) => duration(ended - started),
        _ => String::new(),
    };
    let took = if took.is_empty() { took } else { painted(DIM, format_args!("after {took}")) };
    let status = match progress.status {
        Status::Succeeded => painted(GREEN, "succeeded"),
        Status::Aborted => painted(RED, "was aborted"),
        Status::Running => painted(YELLOW, "runs"),
        Status::Failed | Status::Caught => painted(RED, "failed"),
    };
    let line = joined(&[painted(BOLD, title), status, took]);
    match (&progress.fault, progress.status) {
        (Some(Fault { error: None, cause: None }), _) => line,
        (Some(fault), Status::Failed | Status::Aborted) => format!("{line}: {}", faults.tell(fault)),
        _ => line,
    }
}

/// One node's line without its tree, for output that can't be redrawn.
pub(super) fn line(node: &Node, faults: &mut Faults) -> String {
    let took = node.left_at.map_or_else(String::new, |left| duration(left - node.entered_at));
    let line = joined(&[sign(node.status, 0), node.name.clone(), painted(DIM, took)]);
    match (node.status, &node.fault) {
        (Status::Caught | Status::Failed, Some(fault)) => format!("{line}  {}", faults.tell(fault)),
        _ => line,
    }
}
