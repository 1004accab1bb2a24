//! CloudWatch Logs: groups of streams of events, in memory.
//!
//! A stream keeps its newest events, so that a runner that is left alone does not grow without end.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{PoisonError, RwLock},
};

use time::OffsetDateTime;

/// How many events a stream keeps.
const MAX_EVENTS: usize = 10_000;

/// How many streams a group keeps: the oldest goes.
const MAX_STREAMS: usize = 1_000;

/// The log groups.
#[derive(Debug, Default)]
pub struct Logs {
    groups: RwLock<BTreeMap<String, Group>>,
}

/// A log event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// When what it tells happened.
    pub at: OffsetDateTime,
    /// What it tells.
    pub message: String,
}

/// A log group can't be made or used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LogsError {
    /// There is one of this name.
    #[error("The specified log group already exists")]
    Exists,
    /// There is none of this name.
    #[error("The specified log group does not exist.")]
    NotFound,
}

#[derive(Debug, Default)]
struct Group {
    /// Oldest first.
    streams: VecDeque<(String, VecDeque<LogEvent>)>,
}

impl Logs {
    /// Makes a log group.
    pub fn create_group(&self, name: &str) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.contains_key(name) {
            return Err(LogsError::Exists);
        }
        groups.insert(name.to_owned(), Group::default());
        Ok(())
    }

    /// Whether there is a log group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Writes an event to a stream, which is made where it is not there.
    pub fn put(&self, group: &str, stream: &str, event: LogEvent) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        let streams = &mut groups.get_mut(group).ok_or(LogsError::NotFound)?.streams;
        let index = match streams.iter().rposition(|(name, _)| name == stream) {
            Some(index) => index,
            None => {
                if streams.len() == MAX_STREAMS {
                    streams.pop_front();
                }
                streams.push_back((stream.to_owned(), VecDeque::new()));
                streams.len() - 1
            }
        };
        if let Some((_, events)) = streams.get_mut(index) {
            if events.len() == MAX_EVENTS {
                events.pop_front();
            }
            events.push_back(event);
        }
        Ok(())
    }

    /// The events of a group, stream by stream, the oldest stream first.
    pub fn events(&self, group: &str) -> Result<Vec<LogEvent>, LogsError> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let streams = &groups.get(group).ok_or(LogsError::NotFound)?.streams;
        Ok(streams.iter().flat_map(|(_, events)| events.iter().cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> LogEvent {
        LogEvent { at: OffsetDateTime::UNIX_EPOCH, message: message.to_owned() }
    }

    #[test]
    fn events_go_to_a_group_that_is_there() {
        let logs = Logs::default();
        assert_eq!(logs.put("g", "s", event("a")), Err(LogsError::NotFound));
        assert_eq!(logs.events("g"), Err(LogsError::NotFound));
        logs.create_group("g").unwrap();
        assert_eq!(logs.create_group("g"), Err(LogsError::Exists));
        for (stream, message) in [("1", "a"), ("2", "b"), ("1", "c")] {
            logs.put("g", stream, event(message)).unwrap();
        }
        assert_eq!(logs.events("g").unwrap(), [event("a"), event("c"), event("b")]);
    }

    #[test]
    fn a_stream_keeps_its_newest_events() {
        let logs = Logs::default();
        logs.create_group("g").unwrap();
        for number in 0..=MAX_EVENTS {
            logs.put("g", "s", event(&number.to_string())).unwrap();
        }
        let events = logs.events("g").unwrap();
        assert_eq!((events.len(), events.first()), (MAX_EVENTS, Some(&event("1"))));
    }
}
