//! Executions as lines that are written once, for pipes, logs and several executions at a time.

use engine::{Event, EventKind, core::rests::Rest, run::Clock};

use super::{
    faults::Faults,
    log_line::LogText,
    progress::{Progress, Status},
    rest,
    style::{BOLD, DIM, YELLOW, painted},
    tree,
};

/// Writes a line when a state is done or begins to wait, when a function writes one, and when the execution ends.
pub struct Plain {
    progress: Progress,
    title: String,
    told: Vec<bool>,
    faults: Faults,
}

impl Plain {
    /// The lines of an execution with this title, which lives in this time.
    pub fn new(title: impl Into<String>, clock: Clock) -> Self {
        let (told, faults) = (Vec::new(), Faults::default());
        Self { progress: Progress::new(clock), title: title.into(), told, faults }
    }

    /// Takes the events of an earlier runner, which has told them. Gives a line that says where the execution goes on.
    pub fn goes_on(&mut self, earlier: &[Event]) -> String {
        for event in earlier {
            self.progress.apply(event);
        }
        self.told = self.progress.nodes.iter().map(|node| node.left_at.is_some()).collect();
        let at: Vec<&str> = self.progress.at().map(|node| node.name.as_str()).collect();
        let at = if at.is_empty() { String::new() } else { format!(", at {}", at.join(", ")) };
        let is_redriven = earlier.last().is_some_and(|event| matches!(event.kind, EventKind::ExecutionRedriven { .. }));
        let how = if is_redriven { "is redriven" } else { "goes on" };
        format!("{how}: {}{at}", painted(BOLD, &self.title))
    }

    /// The lines that an event makes.
    pub fn event(&mut self, event: &Event) -> Vec<String> {
        self.progress.apply(event);
        self.told.resize(self.progress.nodes.len(), false);
        let mut lines = Vec::new();
        for (node, told) in self.progress.nodes.iter().zip(&mut self.told) {
            if node.status == Status::Running || node.left_at.is_none() {
                *told = false;
            } else if !std::mem::replace(told, true) {
                let line = tree::line(&self.progress, node, &mut self.faults);
                lines.push(format!("{}  {line}", painted(BOLD, &self.title)));
            }
        }
        if self.progress.ended_at.is_some() {
            lines.push(tree::ending(&self.progress, &self.title, &mut self.faults));
        }
        lines
    }

    /// The line of a state that begins to wait.
    pub fn rest(&self, rest: &Rest) -> String {
        let words = painted(YELLOW, rest::words(&rest.until, &self.progress.clock));
        format!("{}  {} {} {words}", painted(BOLD, &self.title), painted(YELLOW, "…"), rest.state)
    }

    /// The line that a function's log line makes; none for an error that was told.
    pub fn log(&mut self, state: &str, line: &str) -> Option<String> {
        let text = LogText(line);
        let is_new = text.error().is_none_or(|error| self.faults.note(&error));
        is_new.then(|| format!("{}  {} {text}", painted(BOLD, &self.title), painted(DIM, format_args!("{state} │"))))
    }
}
