//! What functions write, for those who show it.
//!
//! A line that a function wrote for an execution waits for whoever shows that execution: the function may have written it
//! before anybody has heard of the execution. A line is here before the event that follows from it is in the history.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use indexmap::IndexMap;
use tokio::sync::{Notify, broadcast};

use crate::{lambda::LogLine, states::CallerOf};

/// How many lines an observer of functions that no execution called may be behind before it misses some.
const BACKLOG: usize = 8192;

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
#[derive(Clone, Debug)]
pub struct FunctionLogs {
    /// Shared: the channel holds room for as many as are kept, from its beginning on.
    uncalled: broadcast::Sender<Arc<LogLine>>,
    kept: Arc<Mutex<Kept>>,
}

/// The lines of executions, in the order in which these were heard of.
#[derive(Debug, Default)]
struct Kept {
    executions: IndexMap<Arc<str>, Lines>,
    /// How many lines wait.
    waiting: usize,
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
    pub(crate) fn new() -> Self {
        Self { uncalled: broadcast::Sender::new(BACKLOG), kept: Arc::default() }
    }

    /// What functions write from now on that no execution has called.
    pub fn uncalled(&self) -> broadcast::Receiver<Arc<LogLine>> {
        self.uncalled.subscribe()
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
            // Nobody may listen; that is no error.
            let _ = self.uncalled.send(Arc::new(line));
            return;
        };
        let line = StateLine { state, line };
        let mut kept = self.kept();
        match kept.executions.get(&execution_arn) {
            Some(Lines::Shown(unread)) => unread.add(line),
            Some(Lines::Waiting(_)) | None => kept.wait(execution_arn, line),
        }
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
        let logs = FunctionLogs::new();
        let mut uncalled = logs.uncalled();
        for (execution, text) in [(Some("a"), "1"), (Some("b"), "2"), (None, "3"), (Some("a"), "4")] {
            write(&logs, execution, text);
        }
        let mut a = logs.of(&"a".into());
        write(&logs, Some("a"), "5");
        assert_eq!(lines(&mut a), ["1", "4", "5"]);
        assert_eq!(lines(&mut logs.of(&"b".into())), ["2"]);
        assert_eq!(uncalled.try_recv().unwrap().line, "3");
        assert!(uncalled.try_recv().is_err());
    }

    #[test]
    fn what_nobody_shows_is_bounded() {
        let logs = FunctionLogs::new();
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
        let logs = FunctionLogs::new();
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
