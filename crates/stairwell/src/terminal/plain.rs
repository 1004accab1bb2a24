//! Executions as lines that are written once, for pipes, logs and several executions at a time.

use engine::Event;

use super::{
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
}

impl Plain {
    /// The lines of an execution with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { progress: Progress::default(), title: title.into(), told: Vec::new() }
    }

    /// The lines that an event makes.
    pub fn event(&mut self, event: &Event) -> Vec<String> {
        self.progress.apply(event);
        self.told.resize(self.progress.nodes.len(), false);
        let mut lines = Vec::new();
        for (node, told) in self.progress.nodes.iter().zip(&mut self.told) {
            if node.status != Status::Running && !std::mem::replace(told, true) {
                lines.push(format!("{}  {}", painted(BOLD, &self.title), tree::line(node)));
            }
        }
        if self.progress.ended_at.is_some() {
            lines.push(tree::ending(&self.progress, &self.title));
        }
        lines
    }

    /// The line that a function's log line makes.
    pub fn log(&mut self, state: &str, line: &str) -> String {
        self.progress.log(state, line);
        format!("{}  {} {}", painted(BOLD, &self.title), painted(DIM, format_args!("{state} │")), LogText(line))
    }
}
