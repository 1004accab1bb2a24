//! CloudWatch Logs: groups of streams of events, in memory.
//!
//! A stream keeps its newest events, and a group its newest streams, so that a runner that is left alone does not grow
//! without end.

mod filter;
pub(crate) mod operations;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{PoisonError, RwLock},
};

use time::OffsetDateTime;

use crate::tags::Tags;

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

#[derive(Debug)]
struct Group {
    created_at: OffsetDateTime,
    /// Told, and not acted upon: a group has its newest events.
    retention_in_days: Option<u32>,
    tags: Tags,
    /// Oldest first.
    streams: VecDeque<Stream>,
}

#[derive(Debug)]
struct Stream {
    name: String,
    created_at: OffsetDateTime,
    events: VecDeque<LogEvent>,
    /// How many events have gone to make room.
    gone: u64,
}

impl Group {
    fn new() -> Self {
        Self {
            created_at: OffsetDateTime::now_utc(),
            retention_in_days: None,
            tags: Tags::default(),
            streams: VecDeque::new(),
        }
    }

    /// A stream, which is made where it is not there. The oldest goes where there are too many.
    fn stream(&mut self, name: &str) -> Option<&mut Stream> {
        let index = self.streams.iter().rposition(|stream| stream.name == name);
        let index = index.unwrap_or_else(|| {
            if self.streams.len() == MAX_STREAMS {
                self.streams.pop_front();
            }
            let (name, created_at) = (name.to_owned(), OffsetDateTime::now_utc());
            self.streams.push_back(Stream { name, created_at, events: VecDeque::new(), gone: 0 });
            self.streams.len() - 1
        });
        self.streams.get_mut(index)
    }
}

impl Stream {
    fn put(&mut self, event: LogEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
            self.gone += 1;
        }
        self.events.push_back(event);
    }

    /// The number of the event to come.
    fn end(&self) -> u64 {
        self.numbered().next_back().map_or(0, |(number, _)| number + 1)
    }

    /// The events that are there, each with its number among all that ever were: from 0 on.
    fn numbered(&self) -> impl DoubleEndedIterator<Item = (u64, &LogEvent)> {
        let gone = self.gone;
        self.events.iter().enumerate().map(move |(index, event)| (gone + index as u64, event))
    }
}

impl Logs {
    /// Empty log groups.
    pub fn with_groups(names: &[String]) -> Self {
        let groups = names.iter().map(|name| (name.clone(), Group::new())).collect();
        Self { groups: RwLock::new(groups) }
    }

    /// Makes a log group.
    pub fn create_group(&self, name: &str) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.contains_key(name) {
            return Err(LogsError::Exists);
        }
        groups.insert(name.to_owned(), Group::new());
        Ok(())
    }

    /// Whether there is a log group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Writes an event to a stream, which is made where it is not there.
    pub fn put(&self, group: &str, stream: &str, event: LogEvent) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        let stream = groups.get_mut(group).ok_or(LogsError::NotFound)?.stream(stream);
        if let Some(stream) = stream {
            stream.put(event);
        }
        Ok(())
    }

    /// Writes an event to a stream of a group; both are made where they are not there.
    pub fn put_to_new(&self, group: &str, stream: &str, event: LogEvent) {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = groups.entry(group.to_owned()).or_insert_with(Group::new).stream(stream) {
            stream.put(event);
        }
    }

    /// The events of a group, stream by stream, the oldest stream first.
    pub fn events(&self, group: &str) -> Result<Vec<LogEvent>, LogsError> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let streams = &groups.get(group).ok_or(LogsError::NotFound)?.streams;
        Ok(streams.iter().flat_map(|stream| stream.events.iter().cloned()).collect())
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
