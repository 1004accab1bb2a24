//! Executions as lines that are written once, for pipes, logs and several executions at a time.

use engine::{
    Event, EventKind,
    core::rests::{Rest, Until},
    run::Clock,
};

use super::{
    faults::Faults,
    log_line::LogText,
    progress::{Node, Progress, Status},
    rest,
    style::{BOLD, DIM, YELLOW, harmless, painted},
    tree,
};

/// Writes a line when a state is done, has failed and will be tried again, or begins to wait, when a function writes one, and when the execution
/// ends.
pub struct Plain {
    progress: Progress,
    title: String,
    /// The title with the execution's whole name, for its last line.
    whole: String,
    /// What was told of each node.
    told: Vec<Told>,
    faults: Faults,
}

#[derive(Clone, Copy, Default)]
struct Told {
    is_done: bool,
    /// How many tries were told, also of one that is still to come.
    tries: u32,
}

impl Plain {
    /// The lines of an execution with this title, which lives in this time.
    pub fn new(title: impl Into<String>, clock: Clock) -> Self {
        let (told, faults) = (Vec::new(), Faults::default());
        let title = title.into();
        Self { progress: Progress::new(clock), whole: title.clone(), title, told, faults }
    }

    /// With the execution's name, which its title may have in short: the last line has it whole, to be copied.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if let Some((machine, _)) = self.title.rsplit_once('/') {
            self.whole = format!("{machine}/{name}");
        }
        self
    }

    /// Takes the events of an earlier runner, which has told them. Gives a line that says where the execution goes on.
    pub fn goes_on(&mut self, earlier: &[Event]) -> String {
        for event in earlier {
            self.progress.apply(event);
        }
        let told = |node: &Node| Told { is_done: node.left_at.is_some(), tries: node.tries };
        self.told = self.progress.nodes.iter().map(told).collect();
        let at: Vec<String> = self.progress.at().map(|node| harmless(&node.name)).collect();
        let at = if at.is_empty() { String::new() } else { format!(", at {}", at.join(", ")) };
        let is_redriven = earlier.last().is_some_and(|event| matches!(event.kind, EventKind::ExecutionRedriven { .. }));
        let how = if is_redriven { "is redriven" } else { "goes on" };
        format!("{how}: {}{at}", painted(BOLD, &self.title))
    }

    /// The lines that an event makes.
    pub fn event(&mut self, event: &Event) -> Vec<String> {
        let changed = self.progress.apply(event);
        self.told.resize(self.progress.nodes.len(), Told::default());
        let (mut lines, mut done) = (Vec::new(), Vec::new());
        for index in changed {
            let (Some(node), Some(told)) = (self.progress.nodes.get(index), self.told.get_mut(index)) else { continue };
            if told.tries < node.tries && node.tries > 1 {
                let again = tree::again(&self.progress, node, &mut self.faults);
                lines.push(format!("{}  {again}", painted(BOLD, &self.title)));
            }
            told.tries = told.tries.max(node.tries);
            let is_done = node.status != Status::Running && node.left_at.is_some();
            if is_done && !told.is_done {
                done.push(index);
            }
            told.is_done = is_done;
        }
        // What is inside of something ends before it, and the error is told where it was made.
        done.sort_by_key(|index| std::cmp::Reverse(self.progress.depth(*index)));
        for node in done.into_iter().map(|index| &self.progress.nodes[index]) {
            let line = tree::line(&self.progress, node, &mut self.faults);
            lines.push(format!("{}  {line}", painted(BOLD, &self.title)));
        }
        if self.progress.ended_at.is_some() {
            lines.push(tree::ending(&self.progress, &self.whole, &mut self.faults));
        }
        lines
    }

    /// The line of a state that begins to wait, or waits for its next try.
    pub fn rest(&mut self, rest: &Rest) -> String {
        let words = rest::words(&rest.until, &self.progress.clock);
        let node = self.progress.entered_by(rest.entered_event).filter(|_| matches!(rest.until, Until::Retry(_)));
        if let Some((node, told)) = node.and_then(|node| Some((&self.progress.nodes[node], self.told.get_mut(node)?))) {
            told.tries = node.tries + 1;
            let line = tree::will_be_tried(&self.progress, node, &words, &mut self.faults);
            return format!("{}  {line}", painted(BOLD, &self.title));
        }
        let words = painted(YELLOW, words);
        format!("{}  {} {} {words}", painted(BOLD, &self.title), painted(YELLOW, "…"), harmless(&rest.state))
    }

    /// The line that a function's log line makes; none for an error that was told.
    pub fn log(&mut self, state: &str, line: &str) -> Option<String> {
        let text = LogText(line);
        let is_new = text.error().is_none_or(|error| self.faults.note(&error));
        is_new.then(|| {
            format!("{}  {} {text}", painted(BOLD, &self.title), painted(DIM, format_args!("{} │", harmless(state))))
        })
    }
}
