//! The CloudWatch Logs API.

use std::{collections::BTreeMap, sync::PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Group, LogEvent, Logs, LogsError, Stream, filter::Filter};
use crate::{
    location::Location,
    protocol::{Dialect, Failure, Operations, Parameters, done},
    tags::{Refusals, Tags},
};

/// How many groups or streams a page has at most.
const PAGE: usize = 50;

/// How many events a page has at most.
const EVENTS: usize = 10_000;

/// What tags are called that are not taken.
const TAGS: Refusals = Refusals { too_many: "TooManyTagsException", invalid: "InvalidParameterException" };

type Answer = Result<Value, Failure>;

/// CloudWatch Logs as its clients see it.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) logs: std::sync::Arc<Logs>,
    pub(crate) location: Location,
}

impl Operations for Api {
    const DIALECT: Dialect = Dialect::json("CloudWatch Logs", 2 * 1024 * 1024);

    async fn operate(&self, operation: &str, parameters: Parameters) -> Answer {
        match operation {
            "CreateLogGroup" => self.create_group(parameters.read()?),
            "DeleteLogGroup" => self.delete_group(&parameters.read()?),
            "DescribeLogGroups" => Ok(self.describe_groups(&parameters.read()?)),
            "PutRetentionPolicy" => self.put_retention(&parameters.read()?),
            "CreateLogStream" => self.create_stream(&parameters.read()?),
            "DeleteLogStream" => self.delete_stream(&parameters.read()?),
            "DescribeLogStreams" => self.describe_streams(&parameters.read()?),
            "PutLogEvents" => self.put_events(parameters.read()?),
            "GetLogEvents" => self.get_events(&parameters.read()?),
            "FilterLogEvents" => self.filter_events(&parameters.read()?),
            "TagResource" => self.tag_resource(parameters.read()?),
            "UntagResource" => self.untag_resource(&parameters.read()?),
            "ListTagsForResource" => self.list_tags(&parameters.read()?),
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateGroup {
    log_group_name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Nothing is encrypted here, and all groups are of one class.
    #[serde(rename = "kmsKeyId")]
    _key: Option<String>,
    #[serde(rename = "logGroupClass")]
    _class: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfGroup {
    log_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutRetention {
    log_group_name: String,
    retention_in_days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfStream {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutEvents {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputEvent>,
    /// Not looked at by the service any more.
    #[serde(rename = "sequenceToken")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InputEvent {
    timestamp: i64,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GetEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FilterEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    #[serde(default)]
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
    /// Events are always interleaved.
    #[serde(rename = "interleaved")]
    _interleaved: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfResource {
    resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TagResource {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

/// Groups and streams.
impl Api {
    fn create_group(&self, request: CreateGroup) -> Answer {
        let tags = Tags::of_new(request.tags, TAGS)?;
        self.logs.create_group(&request.log_group_name).map_err(|error| failure(&error))?;
        self.change(&request.log_group_name, |group| {
            group.tags = tags;
            Ok(done())
        })
    }

    fn delete_group(&self, request: &OfGroup) -> Answer {
        let mut groups = self.logs.groups.write().unwrap_or_else(PoisonError::into_inner);
        groups.remove(&request.log_group_name).ok_or_else(|| failure(&LogsError::NotFound))?;
        Ok(done())
    }

    fn describe_groups(&self, request: &DescribeGroups) -> Value {
        let prefix = request.log_group_name_prefix.as_deref().unwrap_or_default();
        let pattern = request.log_group_name_pattern.as_deref().unwrap_or_default();
        let groups = self.logs.groups.read().unwrap_or_else(PoisonError::into_inner);
        let after = request.next_token.as_deref().unwrap_or_default();
        let found = groups
            .iter()
            .filter(|(name, _)| name.as_str() > after && name.starts_with(prefix) && name.contains(pattern));
        let told = found.map(|(name, group)| (name.clone(), self.told(name, group))).collect();
        page("logGroups", told, request.limit)
    }

    fn told(&self, name: &str, group: &Group) -> Value {
        let arn = self.location.arn("logs", &format!("log-group:{name}"));
        let bytes: usize = group.streams.iter().map(stored).sum();
        let mut told = json!({
            "logGroupName": name,
            "creationTime": milliseconds(group.created_at),
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "logGroupArn": arn,
            "storedBytes": bytes,
            "logGroupClass": "STANDARD",
        });
        if let Some(days) = group.retention_in_days {
            told["retentionInDays"] = json!(days);
        }
        told
    }

    fn put_retention(&self, request: &PutRetention) -> Answer {
        self.change(&request.log_group_name, |group| {
            group.retention_in_days = Some(request.retention_in_days);
            Ok(done())
        })
    }

    fn create_stream(&self, request: &OfStream) -> Answer {
        self.change(&request.log_group_name, |group| {
            if group.streams.iter().any(|stream| stream.name == request.log_stream_name) {
                let message = "The specified log stream already exists";
                return Err(Failure::new("ResourceAlreadyExistsException", message));
            }
            group.stream(&request.log_stream_name);
            Ok(done())
        })
    }

    fn delete_stream(&self, request: &OfStream) -> Answer {
        self.change(&request.log_group_name, |group| {
            let before = group.streams.len();
            group.streams.retain(|stream| stream.name != request.log_stream_name);
            if group.streams.len() == before { Err(no_stream()) } else { Ok(done()) }
        })
    }

    fn describe_streams(&self, request: &DescribeStreams) -> Answer {
        let name = self.group_name(request.log_group_name.as_deref(), request.log_group_identifier.as_deref())?;
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        self.look(name, |group| {
            let mut streams: Vec<&Stream> =
                group.streams.iter().filter(|stream| stream.name.starts_with(prefix)).collect();
            match request.order_by.as_deref() {
                Some("LastEventTime") => streams.sort_by_key(|stream| stream.events.back().map(|event| event.at)),
                _ => streams.sort_by(|a, b| a.name.cmp(&b.name)),
            }
            if request.descending {
                streams.reverse();
            }
            // The token of a page is the name of its last stream.
            let start = request.next_token.as_ref().map_or(0, |after| {
                streams.iter().position(|stream| stream.name == *after).map_or(streams.len(), |index| index + 1)
            });
            let rest = streams.get(start..).unwrap_or_default();
            let told = rest.iter().map(|stream| (stream.name.clone(), self.told_stream(name, stream))).collect();
            Ok(page("logStreams", told, request.limit))
        })
    }

    fn told_stream(&self, group: &str, stream: &Stream) -> Value {
        let arn = self.location.arn("logs", &format!("log-group:{group}:log-stream:{}", stream.name));
        let mut told = json!({
            "logStreamName": stream.name,
            "creationTime": milliseconds(stream.created_at),
            "arn": arn,
            "storedBytes": stored(stream),
            "uploadSequenceToken": "0",
        });
        if let (Some(first), Some(last)) = (stream.events.front(), stream.events.back()) {
            told["firstEventTimestamp"] = json!(milliseconds(first.at));
            told["lastEventTimestamp"] = json!(milliseconds(last.at));
            told["lastIngestionTime"] = json!(milliseconds(last.at));
        }
        told
    }
}

/// Tags of groups.
impl Api {
    fn tag_resource(&self, request: TagResource) -> Answer {
        self.change(self.group_name(None, Some(&request.resource_arn))?, |group| {
            group.tags.add(request.tags, TAGS)?;
            Ok(done())
        })
    }

    fn untag_resource(&self, request: &UntagResource) -> Answer {
        self.change(self.group_name(None, Some(&request.resource_arn))?, |group| {
            group.tags.remove(&request.tag_keys);
            Ok(done())
        })
    }

    fn list_tags(&self, request: &OfResource) -> Answer {
        self.look(self.group_name(None, Some(&request.resource_arn))?, |group| Ok(json!({ "tags": group.tags.map() })))
    }
}

/// Events.
impl Api {
    fn put_events(&self, request: PutEvents) -> Answer {
        if request.log_events.is_empty() {
            let message = "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: \
                           Member must have length greater than or equal to 1";
            return Err(Failure::new("InvalidParameterException", message));
        }
        self.change(&request.log_group_name, |group| {
            let stream = group.streams.iter_mut().find(|stream| stream.name == request.log_stream_name);
            let stream = stream.ok_or_else(no_stream)?;
            let events = request.log_events.into_iter();
            let events = events.map(|event| Ok(LogEvent { at: moment(event.timestamp)?, message: event.message }));
            // All are written or none.
            events.collect::<Result<Vec<_>, Failure>>()?.into_iter().for_each(|event| stream.put(event));
            Ok(json!({ "nextSequenceToken": "0" }))
        })
    }

    fn get_events(&self, request: &GetEvents) -> Answer {
        let name = self.group_name(request.log_group_name.as_deref(), request.log_group_identifier.as_deref())?;
        let limit = request.limit.unwrap_or(EVENTS).clamp(1, EVENTS);
        self.look(name, |group| {
            let stream = group.streams.iter().find(|stream| stream.name == request.log_stream_name);
            let stream = stream.ok_or_else(no_stream)?;
            let in_time = stream.numbered().filter(|(_, event)| is_within(event, request.start_time, request.end_time));
            // A token has the direction, and the number of the first event after its place.
            let (place, is_forward) = match request.next_token.as_deref().map(|token| token.split_at_checked(2)) {
                None if request.start_from_head => (0, true),
                None => (stream.end(), false),
                Some(Some((direction @ ("f/" | "b/"), place))) => {
                    (place.parse().map_err(|_| bad_token())?, direction == "f/")
                }
                Some(_) => return Err(bad_token()),
            };
            let events: Vec<(u64, &LogEvent)> = if is_forward {
                in_time.filter(|(number, _)| *number >= place).take(limit).collect()
            } else {
                let mut events: Vec<_> = in_time.rev().filter(|(number, _)| *number < place).take(limit).collect();
                events.reverse();
                events
            };
            let start = events.first().map_or(place, |(number, _)| *number);
            let end = events.last().map_or(place, |(number, _)| number + 1);
            Ok(json!({
                "events": events.iter().map(|(_, event)| told(event)).collect::<Vec<_>>(),
                "nextForwardToken": format!("f/{end}"),
                "nextBackwardToken": format!("b/{start}"),
            }))
        })
    }

    fn filter_events(&self, request: &FilterEvents) -> Answer {
        let name = self.group_name(request.log_group_name.as_deref(), request.log_group_identifier.as_deref())?;
        let pattern = request.filter_pattern.as_deref().unwrap_or_default();
        let filter = Filter::parse(pattern).ok_or_else(|| {
            let message = format!("This runner looks for words, and not by the pattern {pattern}.");
            Failure::new("InvalidParameterException", message)
        })?;
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        let limit = request.limit.unwrap_or(EVENTS).clamp(1, EVENTS);
        let after = request.next_token.as_deref().map(|token| Found::parse(token).ok_or_else(bad_token)).transpose()?;
        self.look(name, |group| {
            let is_wanted = |stream: &&Stream| {
                let names = &request.log_stream_names;
                stream.name.starts_with(prefix) && (names.is_empty() || names.contains(&stream.name))
            };
            let mut found: Vec<(Found<'_>, &LogEvent)> = Vec::new();
            for stream in group.streams.iter().filter(is_wanted) {
                let events = stream.numbered().filter(|(_, event)| {
                    is_within(event, request.start_time, request.end_time) && filter.lets_through(&event.message)
                });
                let places = events.map(|(number, event)| {
                    (Found { at: event.at.unix_timestamp_nanos(), stream: &stream.name, number }, event)
                });
                found.extend(places.filter(|(place, _)| after.as_ref().is_none_or(|after| place > after)));
            }
            found.sort_by(|(one, _), (other, _)| one.cmp(other));
            let is_more = found.len() > limit;
            found.truncate(limit);
            let events = found.iter().map(|(Found { stream, number, .. }, event)| {
                let mut told = told(event);
                told["logStreamName"] = json!(stream);
                told["eventId"] = json!(format!("{:020}{number:036}", milliseconds(event.at)));
                told
            });
            let mut answer = Map::new();
            answer.insert("events".to_owned(), events.collect());
            if let (true, Some((last, _))) = (is_more, found.last()) {
                answer.insert("nextToken".to_owned(), json!(last.token()));
            }
            answer.insert("searchedLogStreams".to_owned(), json!([]));
            Ok(answer.into())
        })
    }
}

/// The place of an event among those of a group. They come in the order of their times.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Found<'a> {
    /// In nanoseconds since 1970.
    at: i128,
    stream: &'a str,
    number: u64,
}

impl<'a> Found<'a> {
    fn token(&self) -> String {
        format!("{}/{}/{}", self.at, self.number, self.stream)
    }

    fn parse(token: &'a str) -> Option<Self> {
        let (at, rest) = token.split_once('/')?;
        let (number, stream) = rest.split_once('/')?;
        Some(Self { at: at.parse().ok()?, stream, number: number.parse().ok()? })
    }
}

impl Api {
    fn look(&self, group: &str, look: impl FnOnce(&Group) -> Answer) -> Answer {
        let groups = self.logs.groups.read().unwrap_or_else(PoisonError::into_inner);
        look(groups.get(group).ok_or_else(|| failure(&LogsError::NotFound))?)
    }

    fn change(&self, group: &str, change: impl FnOnce(&mut Group) -> Answer) -> Answer {
        let mut groups = self.logs.groups.write().unwrap_or_else(PoisonError::into_inner);
        change(groups.get_mut(group).ok_or_else(|| failure(&LogsError::NotFound))?)
    }

    /// A group may be named by its ARN.
    fn group_name<'a>(&self, name: Option<&'a str>, identifier: Option<&'a str>) -> Result<&'a str, Failure> {
        let named = name.or(identifier).ok_or_else(|| {
            Failure::new("InvalidParameterException", "Either logGroupName or logGroupIdentifier must be given")
        })?;
        let of_arn = self.location.resource_of("logs", named).and_then(|resource| resource.strip_prefix("log-group:"));
        Ok(of_arn.map_or(named, |name| name.trim_end_matches(":*")))
    }
}

fn stored(stream: &Stream) -> usize {
    stream.events.iter().map(|event| event.message.len()).sum()
}

fn told(event: &LogEvent) -> Value {
    let at = milliseconds(event.at);
    json!({ "timestamp": at, "ingestionTime": at, "message": event.message })
}

/// Whether an event is not before a start and before an end.
fn is_within(event: &LogEvent, start: Option<i64>, end: Option<i64>) -> bool {
    let at = milliseconds(event.at);
    start.is_none_or(|start| at >= start) && end.is_none_or(|end| at < end)
}

fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn moment(milliseconds: i64) -> Result<OffsetDateTime, Failure> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .map_err(|error| Failure::new("InvalidParameterException", error.to_string()))
}

fn page(key: &str, mut items: Vec<(String, Value)>, limit: Option<usize>) -> Value {
    let most = limit.unwrap_or(PAGE).clamp(1, PAGE);
    let is_whole = items.len() <= most;
    items.truncate(most);
    let mut answer = Map::new();
    if let (false, Some((last, _))) = (is_whole, items.last()) {
        answer.insert("nextToken".to_owned(), json!(last));
    }
    answer.insert(key.to_owned(), items.into_iter().map(|(_, item)| item).collect());
    answer.into()
}

fn failure(error: &LogsError) -> Failure {
    let code = match error {
        LogsError::Exists => "ResourceAlreadyExistsException",
        LogsError::NotFound => "ResourceNotFoundException",
    };
    Failure::new(code, error.to_string())
}

fn no_stream() -> Failure {
    Failure::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

fn bad_token() -> Failure {
    Failure::new("InvalidParameterException", "The specified nextToken is invalid.")
}
