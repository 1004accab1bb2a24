//! The operations of the API.

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    DEFAULT_GROUP, Group, Scheduler, key,
    schedule::{Description, Schedule, State, refused},
};
use crate::{
    protocol::{Failure, after, done, page},
    tags::{Refusals, Tag, Tags},
};

/// How many things a page has at most.
const PAGE: usize = 100;

/// What tags are called that are not taken.
const TAGS: Refusals = Refusals { too_many: "ValidationException", invalid: "ValidationException" };

type Answer = Result<Value, Failure>;

/// What the body of a request says of a schedule beside its description.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Place {
    group_name: Option<String>,
}

/// What the body of a request says of tags.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GivenTags {
    #[serde(default)]
    tags: Vec<Tag>,
    /// What tells a request from its repetition: here each is carried out.
    #[serde(rename = "ClientToken")]
    _token: Option<String>,
}

/// What the address of a request asks for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) group: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) state: Option<String>,
    pub(super) max_results: Option<usize>,
    pub(super) next_token: Option<String>,
    pub(super) tag_keys: Vec<String>,
}

impl Asked {
    fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(DEFAULT_GROUP)
    }

    fn most(&self) -> usize {
        self.max_results.unwrap_or(PAGE).min(PAGE)
    }
}

/// Takes the group, and what tells a request from its repetition, out of a body: what is left describes the schedule.
fn described(mut body: Value) -> Result<(String, Description), Failure> {
    let read = |error: serde_json::Error| refused(error.to_string());
    let place: Place = serde_json::from_value(body.clone()).map_err(read)?;
    if let Value::Object(fields) = &mut body {
        for name in ["GroupName", "ClientToken"] {
            fields.shift_remove(name);
        }
    }
    let description = serde_json::from_value(body).map_err(read)?;
    Ok((place.group_name.unwrap_or_else(|| DEFAULT_GROUP.to_owned()), description))
}

/// Schedules.
impl Scheduler {
    pub(super) fn create(&self, name: &str, body: Value) -> Answer {
        check_name(name)?;
        let (group, description) = described(body)?;
        let schedule = Schedule::new(description)?;
        if !self.groups.all().contains_key(&group) {
            return Err(no_group(&group));
        }
        let key = key(&group, name);
        self.schedules.change(|schedules| {
            if schedules.contains_key(&key) {
                return Err(conflict(format!("Schedule {name} already exists.")));
            }
            schedules.insert(key.clone(), schedule);
            self.changed.notify_one();
            Ok(json!({ "ScheduleArn": self.arn(&key) }))
        })
    }

    pub(super) fn update(&self, name: &str, body: Value) -> Answer {
        let (group, description) = described(body)?;
        let schedule = Schedule::new(description)?;
        let key = key(&group, name);
        self.schedules.change(|schedules| {
            let there = schedules.get_mut(&key).ok_or_else(|| no_schedule(name))?;
            // A change within the second of the last one is a change too.
            let changed_at = schedule.changed_at.max(there.changed_at + 1);
            let (created_at, is_of_template) = (there.created_at, there.is_of_template);
            *there = Schedule { created_at, changed_at, is_of_template, ..schedule };
            self.changed.notify_one();
            Ok(json!({ "ScheduleArn": self.arn(&key) }))
        })
    }

    pub(super) fn get(&self, name: &str, asked: &Asked) -> Answer {
        let key = key(asked.group(), name);
        let schedules = self.schedules.all();
        let schedule = schedules.get(&key).ok_or_else(|| no_schedule(name))?;
        let mut told = serde_json::to_value(&schedule.description).map_err(|error| Failure::internal(&error))?;
        told["Arn"] = json!(self.arn(&key));
        told["Name"] = json!(name);
        told["GroupName"] = json!(asked.group());
        told["CreationDate"] = json!(schedule.created_at);
        told["LastModificationDate"] = json!(schedule.changed_at);
        Ok(told)
    }

    pub(super) fn delete(&self, name: &str, asked: &Asked) -> Answer {
        self.schedules.change(|schedules| {
            schedules.remove(&key(asked.group(), name)).ok_or_else(|| no_schedule(name))?;
            self.changed.notify_one();
            Ok(done())
        })
    }

    pub(super) fn list(&self, asked: &Asked) -> Answer {
        let state = match asked.state.as_deref() {
            None => None,
            Some("ENABLED") => Some(State::Enabled),
            Some("DISABLED") => Some(State::Disabled),
            Some(_) => return Err(refused("State is ENABLED or DISABLED.")),
        };
        let prefix = asked.prefix.as_deref().unwrap_or_default();
        let schedules = self.schedules.all();
        let is_asked = |key: &str, schedule: &Schedule| {
            let (group, name) = key.split_once('/').unwrap_or_default();
            asked.group.as_deref().is_none_or(|asked| asked == group)
                && name.starts_with(prefix)
                && state.is_none_or(|state| state == schedule.description.state)
        };
        let told = schedules
            .range(after(asked.next_token.as_deref()))
            .filter(|(key, schedule)| is_asked(key, schedule))
            .map(|(key, schedule)| (key.as_str(), self.summary(key, schedule)));
        Ok(page("Schedules", told, asked.most()))
    }

    fn summary(&self, key: &str, schedule: &Schedule) -> Value {
        let (group, name) = key.split_once('/').unwrap_or_default();
        json!({
            "Arn": self.arn(key),
            "Name": name,
            "GroupName": group,
            "State": schedule.description.state,
            "Target": { "Arn": schedule.description.target.arn },
            "CreationDate": schedule.created_at,
            "LastModificationDate": schedule.changed_at,
        })
    }
}

/// Groups.
impl Scheduler {
    pub(super) fn create_group(&self, name: &str, body: Value) -> Answer {
        check_name(name)?;
        let tags = Tags::of_new(tags_in(body)?, TAGS)?;
        self.groups.change(|groups| {
            if groups.contains_key(name) {
                return Err(conflict(format!("Schedule group {name} already exists.")));
            }
            let created_at = OffsetDateTime::now_utc().unix_timestamp();
            groups.insert(name.to_owned(), Group { created_at, tags, is_of_template: false });
            Ok(json!({ "ScheduleGroupArn": self.group_arn(name) }))
        })
    }

    pub(super) fn get_group(&self, name: &str) -> Answer {
        let groups = self.groups.all();
        groups.get(name).map(|group| self.told_group(name, group)).ok_or_else(|| no_group(name))
    }

    /// Deletes a group with its schedules.
    pub(super) fn delete_group(&self, name: &str) -> Answer {
        if name == DEFAULT_GROUP {
            return Err(refused("Cannot delete default schedule group."));
        }
        if !self.groups.all().contains_key(name) {
            return Err(no_group(name));
        }
        // Its schedules first: a group that can't be deleted after that is there, and has none.
        self.schedules.change(|schedules| {
            schedules.retain(|key, _| key.split_once('/').is_none_or(|(group, _)| group != name));
            Ok(())
        })?;
        self.groups.change(|groups| groups.remove(name).map(drop).ok_or_else(|| no_group(name)))?;
        self.changed.notify_one();
        Ok(done())
    }

    pub(super) fn list_groups(&self, asked: &Asked) -> Value {
        let prefix = asked.prefix.as_deref().unwrap_or_default();
        let groups = self.groups.all();
        let told = groups
            .range(after(asked.next_token.as_deref()))
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, group)| (name.as_str(), self.told_group(name, group)));
        page("ScheduleGroups", told, asked.most())
    }

    fn told_group(&self, name: &str, group: &Group) -> Value {
        json!({
            "Arn": self.group_arn(name),
            "Name": name,
            "State": "ACTIVE",
            "CreationDate": group.created_at,
            "LastModificationDate": group.created_at,
        })
    }

    pub(super) fn tag(&self, arn: &str, body: Value) -> Answer {
        let tags = tags_in(body)?;
        self.change_tags(arn, |of_group| of_group.add(tags, TAGS))
    }

    pub(super) fn untag(&self, arn: &str, asked: &Asked) -> Answer {
        self.change_tags(arn, |of_group| {
            of_group.remove(&asked.tag_keys);
            Ok(())
        })
    }

    pub(super) fn list_tags(&self, arn: &str) -> Answer {
        let name = self.group_of(arn)?;
        let groups = self.groups.all();
        let group = groups.get(name).ok_or_else(|| no_group(name))?;
        Ok(json!({ "Tags": group.tags.list() }))
    }

    fn change_tags(&self, arn: &str, change: impl FnOnce(&mut Tags) -> Result<(), Failure>) -> Answer {
        let name = self.group_of(arn)?;
        self.groups.change(|groups| {
            change(&mut groups.get_mut(name).ok_or_else(|| no_group(name))?.tags)?;
            Ok(done())
        })
    }

    /// The group that an ARN names: schedules have no tags, their groups do.
    fn group_of<'a>(&self, arn: &'a str) -> Result<&'a str, Failure> {
        let resource = self.location.resource_of("scheduler", arn);
        resource
            .and_then(|resource| resource.strip_prefix("schedule-group/"))
            .ok_or_else(|| refused(format!("{arn} is not the ARN of a schedule group.")))
    }

    fn group_arn(&self, name: &str) -> String {
        self.location.arn("scheduler", &format!("schedule-group/{name}"))
    }
}

fn tags_in(body: Value) -> Result<Vec<Tag>, Failure> {
    let GivenTags { tags, .. } = serde_json::from_value(body).map_err(|error| refused(error.to_string()))?;
    Ok(tags)
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_allowed) {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [0-9a-zA-Z-_.]+"
        );
        return Err(refused(message));
    }
    Ok(())
}

fn conflict(message: String) -> Failure {
    Failure::new("ConflictException", message).with_status(http::StatusCode::CONFLICT)
}

fn no_schedule(name: &str) -> Failure {
    not_found(format!("Schedule {name} does not exist."))
}

fn no_group(name: &str) -> Failure {
    not_found(format!("Schedule group {name} does not exist."))
}

fn not_found(message: String) -> Failure {
    Failure::new("ResourceNotFoundException", message).with_status(http::StatusCode::NOT_FOUND)
}
