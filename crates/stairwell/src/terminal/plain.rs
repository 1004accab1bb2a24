//! Executions as lines that are written once, for pipes, logs and several executions at a time.

use engine::Event;

use super::{
    faults::Faults,
    log_line::LogText,
    progress::{Progress, Status},
    style::{BOLD, DIM, painted},
    tree,
};

/// Writes a line when a state is done, when a function writes one, and when the execution ends.
pub struct Plain {
    progress: Progress,
    title: String,
    told: Vec<bool>,
    faults: Faults,
}

impl Plain {
    /// The lines of an execution with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { progress: Progress::default(), title: title.into(), told: Vec::new(), faults: Faults::default() }
    }

    /// The lines that an event makes.
    pub fn event(&mut self, event: &Event) -> Vec<String> {
        self.progress.apply(event);
        self.told.resize(self.progress.nodes.len(), false);
        let mut lines = Vec::new();
        for (node, told) in self.progress.nodes.iter().zip(&mut self.told) {
            if node.status != Status::Running && !std::mem::replace(told, true) {
                lines.push(format!("{}  {}", painted(BOLD, &self.title), tree::line(node, &mut self.faults)));
            }
        }
        if self.progress.ended_at.is_some() {
            lines.push(tree::ending(&self.progress, &self.title, &mut self.faults));
        }
        lines
    }

    /// The line that a function's log line makes; none for an error that was told.
    pub fn log(&mut self, state: &str, line: &str) -> Option<String> {
        let text = LogText(line);
        let is_new = text.error().is_none_or(|error| self.faults.note(&error));
        is_new.then(|| format!("{}  {} {text}", painted(BOLD, &self.title), painted(DIM, format_args!("{state} │"))))
    }
}
