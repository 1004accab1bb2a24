//! What functions write, for those who show it.
//!
//! A line that a function wrote for an execution waits for whoever shows that execution: the function may have written it
//! before anybody has heard of the execution. A line is here before the event that follows from it is in the history.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use indexmap::IndexMap;
use tokio::sync::{Notify, mpsc};

use crate::{lambda::LogLine, states::CallerOf};

/// How far whoever shows the functions that no execution called may be behind before lines are missing, in bytes.
const BACKLOG: usize = 64 * 1024 * 1024;

/// How many executions' lines wait for somebody who shows them; above that, the oldest are for executions that nobody shows.
const MOST_EXECUTIONS: usize = 4096;

/// How many lines of one execution wait; those after them are not kept.
const MOST_OF_ONE: usize = 4096;

/// How many lines wait in all; above that, the oldest execution's are dropped.
const MOST_LINES: usize = 65_536;

/// A line that a function wrote for a state.
#[derive(Clone, Debug)]
pub struct StateLine {
    /// The state's name.
    pub state: Arc<str>,
    /// The line.
    pub line: LogLine,
}

/// The lines of all functions.
#[derive(Clone, Debug, Default)]
pub struct FunctionLogs {
    /// Who shows the lines that no execution called for, where somebody does.
    uncalled: Arc<Mutex<Option<UncalledSender>>>,
    kept: Arc<Mutex<Kept>>,
}

/// The lines of executions, in the order in which these were heard of.
#[derive(Debug, Default)]
struct Kept {
    executions: IndexMap<Arc<str>, Lines>,
    /// How many lines wait.
    waiting: usize,
}

/// Where lines go that no execution called for.
#[derive(Debug)]
struct UncalledSender {
    lines: mpsc::UnboundedSender<LogLine>,
    behind: Arc<Behind>,
}

/// How far whoever shows lines is behind.
#[derive(Debug, Default)]
struct Behind {
    bytes: AtomicUsize,
    /// How many lines came since it was too far.
    missed: AtomicU64,
}

/// What functions write that no execution has called.
#[derive(Debug)]
pub struct UncalledLog {
    lines: mpsc::UnboundedReceiver<LogLine>,
    behind: Arc<Behind>,
}

/// What comes next in such a log.
#[derive(Debug)]
pub enum Uncalled {
    /// A line.
    Line(LogLine),
    /// So many lines are missing: they came much faster than they were taken.
    Missed(u64),
}

/// The lines of one execution.
#[derive(Debug)]
enum Lines {
    /// Nobody has asked for them yet.
    Waiting(VecDeque<StateLine>),
    /// Somebody gets them.
    Shown(Arc<Unread>),
}

/// The lines that whoever shows an execution has not taken. Most executions that wait have none, and there may be many of
/// them: a channel would hold room for lines beforehand.
#[derive(Debug)]
struct Unread {
    lines: Mutex<VecDeque<StateLine>>,
    added: Notify,
}

/// The lines of one execution, from its beginning on. They are let go when this is dropped.
#[derive(Debug)]
pub struct ExecutionLog {
    execution: Arc<str>,
    unread: Arc<Unread>,
    logs: FunctionLogs,
}

impl FunctionLogs {
    /// What functions write from now on that no execution has called. One at a time gets it: the last one who asked.
    pub fn uncalled(&self) -> UncalledLog {
        let (sender, lines) = mpsc::unbounded_channel();
        let behind = Arc::<Behind>::default();
        *self.uncalled_sender() = Some(UncalledSender { lines: sender, behind: behind.clone() });
        UncalledLog { lines, behind }
    }

    /// What functions write for an execution, and have written. One at a time gets it: the last one who asked.
    pub fn of(&self, execution: &Arc<str>) -> ExecutionLog {
        let mut kept = self.kept();
        let lines = match kept.executions.get_mut(execution) {
            Some(Lines::Waiting(waiting)) => std::mem::take(waiting),
            Some(Lines::Shown(_)) | None => VecDeque::new(),
        };
        kept.waiting -= lines.len();
        let unread = Arc::new(Unread { lines: Mutex::new(lines), added: Notify::new() });
        kept.executions.insert(execution.clone(), Lines::Shown(unread.clone()));
        drop(kept);
        ExecutionLog { execution: execution.clone(), unread, logs: self.clone() }
    }

    /// Takes a line, with the state that called the function, where one did.
    pub(crate) fn write(&self, line: LogLine, caller: Option<CallerOf>) {
        let Some(CallerOf { execution_arn, state, .. }) = caller else {
            if let Some(sender) = &*self.uncalled_sender() {
                sender.send(line);
            }
            return;
        };
        let line = StateLine { state, line };
        let mut kept = self.kept();
        match kept.executions.get(&execution_arn) {
            Some(Lines::Shown(unread)) => unread.add(line),
            Some(Lines::Waiting(_)) | None => kept.wait(execution_arn, line),
        }
    }

    fn uncalled_sender(&self) -> MutexGuard<'_, Option<UncalledSender>> {
        self.uncalled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Lets a line wait for whoever shows its execution.
    fn wait(&mut self, execution: Arc<str>, line: StateLine) {
        let known = self.executions.get(&execution);
        if matches!(known, Some(Lines::Waiting(waiting)) if waiting.len() >= MOST_OF_ONE) {
            return;
        }
        if self.waiting >= MOST_LINES || known.is_none() && self.executions.len() >= MOST_EXECUTIONS {
            self.drop_oldest();
        }
        let lines = self.executions.entry(execution).or_insert_with(|| Lines::Waiting(VecDeque::new()));
        if let Lines::Waiting(waiting) = lines {
            waiting.push_back(line);
            self.waiting += 1;
        }
    }

    /// Drops the lines of the execution that was heard of first, of those that nobody shows.
    fn drop_oldest(&mut self) {
        let oldest = self.executions.values().position(|lines| matches!(lines, Lines::Waiting(_)));
        if let Some((_, Lines::Waiting(lines))) = oldest.and_then(|index| self.executions.shift_remove_index(index)) {
            self.waiting -= lines.len();
        }
    }
}

impl UncalledSender {
    fn send(&self, line: LogLine) {
        if self.behind.bytes.load(Ordering::Relaxed) + size(&line) > BACKLOG {
            self.behind.missed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.behind.bytes.fetch_add(size(&line), Ordering::Relaxed);
        // Nobody may listen any more; that is no error.
        let _ = self.lines.send(line);
    }
}

impl UncalledLog {
    /// What comes next, when there is something.
    pub async fn next(&mut self) -> Uncalled {
        match self.missed() {
            Some(missed) => missed,
            None => match self.lines.recv().await {
                Some(line) => self.taken(line),
                None => std::future::pending().await,
            },
        }
    }

    /// What comes next, where there is something now.
    pub fn next_now(&mut self) -> Option<Uncalled> {
        self.missed().or_else(|| {
            let line = self.lines.try_recv().ok()?;
            Some(self.taken(line))
        })
    }

    fn missed(&self) -> Option<Uncalled> {
        Some(self.behind.missed.swap(0, Ordering::Relaxed)).filter(|missed| *missed > 0).map(Uncalled::Missed)
    }

    fn taken(&self, line: LogLine) -> Uncalled {
        self.behind.bytes.fetch_sub(size(&line), Ordering::Relaxed);
        Uncalled::Line(line)
    }
}

/// How much memory a line that waits takes, in bytes.
fn size(line: &LogLine) -> usize {
    size_of::<LogLine>() + line.line.len()
}

impl Unread {
    fn add(&self, line: StateLine) {
        self.lines().push_back(line);
        self.added.notify_one();
    }

    fn take(&self) -> Option<StateLine> {
        self.lines().pop_front()
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<StateLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ExecutionLog {
    /// The next line, when there is one. Never, where somebody else gets them now.
    pub async fn next(&mut self) -> StateLine {
        loop {
            // One that is added after the look has told of itself before the wait.
            if let Some(line) = self.unread.take() {
                return line;
            }
            self.unread.added.notified().await;
        }
    }

    /// The next line, where there is one now.
    pub fn next_now(&mut self) -> Option<StateLine> {
        self.unread.take()
    }
}

impl Drop for ExecutionLog {
    fn drop(&mut self) {
        let mut kept = self.logs.kept();
        if let Some(Lines::Shown(unread)) = kept.executions.get(&self.execution)
            && Arc::ptr_eq(unread, &self.unread)
        {
            kept.executions.shift_remove(&self.execution);
        }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::lambda::{LogKind, LogPlace};

    fn write(logs: &FunctionLogs, execution: Option<&str>, text: &str) {
        let (time, kind, line) = (OffsetDateTime::UNIX_EPOCH, LogKind::Function, text.to_owned());
        let place = Arc::new(LogPlace { group: "/aws/lambda/F".into(), stream: String::new() });
        let line = LogLine { function: "F".into(), place, request_id: None, time, kind, line };
        logs.write(line, execution.map(|arn| CallerOf { execution_arn: arn.into(), state: "S".into() }));
    }

    fn lines(log: &mut ExecutionLog) -> Vec<String> {
        std::iter::from_fn(|| log.next_now()).map(|line| line.line.line).collect()
    }

    #[test]
    fn lines_wait_for_whoever_shows_their_execution() {
        let logs = FunctionLogs::default();
        let mut uncalled = logs.uncalled();
        for (execution, text) in [(Some("a"), "1"), (Some("b"), "2"), (None, "3"), (Some("a"), "4")] {
            write(&logs, execution, text);
        }
        let mut a = logs.of(&"a".into());
        write(&logs, Some("a"), "5");
        assert_eq!(lines(&mut a), ["1", "4", "5"]);
        assert_eq!(lines(&mut logs.of(&"b".into())), ["2"]);
        assert!(matches!(uncalled.next_now(), Some(Uncalled::Line(line)) if line.line == "3"));
        assert!(uncalled.next_now().is_none());
    }

    #[test]
    fn whoever_is_far_behind_is_told_how_much_is_missing() {
        let logs = FunctionLogs::default();
        let mut uncalled = logs.uncalled();
        let long = "x".repeat(BACKLOG / 3);
        (0..5).for_each(|_| write(&logs, None, &long));
        assert!(matches!(uncalled.next_now(), Some(Uncalled::Missed(3))));
        for _ in 0..2 {
            assert!(matches!(uncalled.next_now(), Some(Uncalled::Line(_))));
        }
        write(&logs, None, &long);
        assert!(matches!(uncalled.next_now(), Some(Uncalled::Line(_))));
        assert!(uncalled.next_now().is_none());
    }

    #[test]
    fn what_nobody_shows_is_bounded() {
        let logs = FunctionLogs::default();
        let mut shown = logs.of(&"shown".into());
        for number in 0..MOST_EXECUTIONS + 10 {
            write(&logs, Some(&number.to_string()), "line");
        }
        write(&logs, Some("shown"), "line");
        assert_eq!(logs.kept().executions.len(), MOST_EXECUTIONS);
        assert_eq!(lines(&mut logs.of(&"0".into())), [""; 0]);
        assert_eq!(lines(&mut shown), ["line"]);
        drop(shown);
        assert!(logs.kept().executions.get("shown").is_none());
    }

    #[test]
    fn lines_that_nobody_shows_are_bounded_for_one_execution_and_in_all() {
        let logs = FunctionLogs::default();
        for execution in 0..=MOST_LINES / MOST_OF_ONE {
            for _ in 0..=MOST_OF_ONE {
                write(&logs, Some(&execution.to_string()), "line");
            }
            assert!(logs.kept().waiting <= MOST_LINES);
        }
        assert_eq!(logs.kept().waiting, MOST_LINES);
        assert_eq!(lines(&mut logs.of(&"0".into())), [""; 0]);
        assert_eq!(lines(&mut logs.of(&"1".into())).len(), MOST_OF_ONE);
        assert_eq!(logs.kept().waiting, MOST_LINES - MOST_OF_ONE);
    }
}
