//! The tree of an execution as text.

use std::fmt::Write;

use asl::Fault;
use time::OffsetDateTime;

use super::{
    duration,
    log_line::LogText,
    progress::{Node, Progress, Status},
    style::{BOLD, DIM, GREEN, RED, YELLOW, painted},
};

/// The frames of the sign of something that goes on.
const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How many characters of a cause are shown.
const MAX_CAUSE: usize = 200;

/// The tree, a line for each state and each log line. `frame` counts the redrawings of a live one.
pub fn render(progress: &Progress, now: OffsetDateTime, frame: usize) -> String {
    let mut text = String::new();
    for root in &progress.roots {
        node(progress, *root, 1, now, frame, &mut text);
    }
    text
}

fn node(progress: &Progress, index: usize, depth: usize, now: OffsetDateTime, frame: usize, text: &mut String) {
    let shown = &progress.nodes[index];
    let indent = "  ".repeat(depth);
    let took = shown.left_at.unwrap_or(now) - shown.entered_at;
    let again = match shown.tries {
        0 | 1 => String::new(),
        tries => format!(" {}", painted(YELLOW, format_args!("tried {tries} times"))),
    };
    // Writing to a String can't fail.
    let _ =
        writeln!(text, "{indent}{} {} {}{again}", sign(shown.status, frame), shown.name, painted(DIM, duration(took)));
    for line in &shown.logs {
        let _ = writeln!(text, "{indent}  {} {}", painted(DIM, "│"), LogText(line));
    }
    if let Some(fault) = own_fault(progress, shown) {
        let _ = writeln!(text, "{indent}  {}", failure(fault));
    }
    let mut branch = None;
    let mut children = shown.children.clone();
    children.sort_by_key(|child| progress.nodes[*child].branch);
    for child in children {
        let child_branch = progress.nodes[child].branch;
        if let (Some(number), true) = (child_branch, child_branch != branch) {
            let _ = writeln!(text, "{indent}  {}", painted(DIM, format_args!("branch {number}")));
            branch = child_branch;
        }
        let inner = depth + 1 + usize::from(child_branch.is_some());
        node(progress, child, inner, now, frame, text);
    }
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

/// An error with its cause, on one line.
pub(super) fn failure(fault: &Fault) -> String {
    let cause = fault.cause.as_deref().unwrap_or_default();
    // A function's own error is a JSON document; its message is what a person wants.
    let message = serde_json::from_str::<serde_json::Value>(cause)
        .ok()
        .and_then(|payload| payload.get("errorMessage")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| cause.to_owned());
    let mut short: String = message.chars().take(MAX_CAUSE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if message.chars().nth(MAX_CAUSE).is_some() {
        short.push('…');
    }
    match &fault.error {
        Some(error) => format!("{} {short}", painted(RED, error)),
        None => short,
    }
}

/// How an execution ended, on one line.
pub(super) fn ending(progress: &Progress, title: &str) -> String {
    let took = match (progress.started_at, progress.ended_at) {
        (Some(started), Some(ended)) => painted(DIM, format_args!("after {}", duration(ended - started))),
        _ => String::new(),
    };
    let status = match progress.status {
        Status::Succeeded => painted(GREEN, "succeeded"),
        Status::Aborted => painted(RED, "was aborted"),
        Status::Running => painted(YELLOW, "runs"),
        Status::Failed | Status::Caught => painted(RED, "failed"),
    };
    let why = match (&progress.fault, progress.status) {
        (Some(Fault { error: None, cause: None }), _) => String::new(),
        (Some(fault), Status::Failed | Status::Aborted) => format!(": {}", failure(fault)),
        _ => String::new(),
    };
    format!("{} {status} {took}{why}", painted(BOLD, title))
}

/// One node's line without its tree, for output that can't be redrawn.
pub(super) fn line(node: &Node) -> String {
    let took = node.left_at.map_or_else(String::new, |left| duration(left - node.entered_at));
    let mut line = format!("{} {} {}", sign(node.status, 0), node.name, painted(DIM, took));
    if let (Status::Caught | Status::Failed, Some(fault)) = (node.status, &node.fault) {
        line.push_str("  ");
        line.push_str(&failure(fault));
    }
    line
}
