//! The `EventBridge` API.

use std::collections::{BTreeMap, btree_map::Entry};

use sam::Target;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Bus, DEFAULT_BUS, Events, put,
    rule::{Described, DescribedTarget, Rule, pattern},
};
use crate::{
    protocol::{Dialect, Failure, Operations, Parameters, after, done, page},
    tags::{Refusals, Tag, Tags},
};

/// How many events one call takes.
const MAX_ENTRIES: usize = 10;

/// How many things a page has.
const PAGE: usize = 100;

/// What tags are called that are not taken.
const TAGS: Refusals = Refusals { too_many: "ValidationException", invalid: "ValidationException" };

type Answer = Result<Value, Failure>;

impl Operations for Events {
    const DIALECT: Dialect = Dialect::json("EventBridge", 2 * 1024 * 1024);

    async fn operate(&self, operation: &str, parameters: Parameters) -> Answer {
        match operation {
            "PutEvents" => self.put_events(parameters.read()?),
            "TestEventPattern" => test_event_pattern(&parameters.read()?),
            "PutRule" => self.put_rule(parameters.read()?),
            "DeleteRule" => self.delete_rule(&parameters.read()?),
            "DescribeRule" => self.describe_rule(&parameters.read()?),
            "EnableRule" => self.switch(&parameters.read()?, true),
            "DisableRule" => self.switch(&parameters.read()?, false),
            "ListRules" => self.list_rules(&parameters.read()?),
            "PutTargets" => self.put_targets(parameters.read()?),
            "RemoveTargets" => self.remove_targets(&parameters.read()?),
            "ListTargetsByRule" => self.list_targets(&parameters.read()?),
            "ListRuleNamesByTarget" => self.list_rule_names(&parameters.read()?),
            "CreateEventBus" => self.create_bus(parameters.read()?),
            "DeleteEventBus" => self.delete_bus(&parameters.read()?),
            "DescribeEventBus" => self.describe_bus(&parameters.read()?),
            "ListEventBuses" => Ok(self.list_buses(&parameters.read()?)),
            "TagResource" => self.tag_resource(parameters.read()?),
            "UntagResource" => self.untag_resource(&parameters.read()?),
            "ListTagsForResource" => self.list_tags(&parameters.read()?),
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutRule {
    name: String,
    event_bus_name: Option<String>,
    event_pattern: Option<String>,
    schedule_expression: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfRule {
    name: String,
    event_bus_name: Option<String>,
    /// For rules that services manage, of which there are none.
    #[serde(rename = "Force")]
    _force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRules {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutTargets {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<DescribedTarget>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RemoveTargets {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
    #[serde(rename = "Force")]
    _force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListTargets {
    rule: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRuleNames {
    target_arn: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateBus {
    name: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfBus {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListBuses {
    name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UntagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TestEventPattern {
    event_pattern: String,
    event: String,
}

fn test_event_pattern(request: &TestEventPattern) -> Answer {
    let event: Value = serde_json::from_str(&request.event)
        .map_err(|_| Failure::new("ValidationException", "Parameter Event is not valid."))?;
    Ok(json!({ "Result": pattern(&request.event_pattern)?.matches(&event) }))
}

/// Rules.
impl Events {
    fn put_events(&self, request: put::Request) -> Answer {
        if request.entries.is_empty() || request.entries.len() > MAX_ENTRIES {
            let message = format!(
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy constraint: \
                 Member must have length less than or equal to {MAX_ENTRIES} and greater than or equal to 1"
            );
            return Err(Failure::new("ValidationException", message));
        }
        let (events, answer) = put::put(request.entries);
        for event in &events {
            self.send(event);
        }
        serde_json::to_value(&answer).map_err(|error| Failure::internal(&error))
    }

    fn put_rule(&self, request: PutRule) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        check_name(&request.name)?;
        let is_enabled = match request.state.as_deref() {
            None | Some("ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS") => true,
            Some("DISABLED") => false,
            Some(_) => return Err(Failure::new("ValidationException", "Parameter State is not valid.")),
        };
        self.change(|buses| {
            let bus = find_bus(buses, bus_name)?;
            // The targets and the tags of a rule stay when it is put again.
            let (targets, tags) = match bus.rules.get(&request.name) {
                Some(rule) => (rule.described.targets.clone(), rule.described.tags.clone()),
                None => (BTreeMap::new(), Tags::of_new(request.tags, TAGS)?),
            };
            let described = Described {
                event_pattern: request.event_pattern,
                schedule_expression: request.schedule_expression,
                description: request.description,
                role_arn: request.role_arn,
                is_enabled,
                targets,
                tags,
            };
            let rule = Rule::new(described, false)?;
            if rule.timetable.is_some() && bus_name != DEFAULT_BUS {
                let message = "ScheduleExpression is supported only on the default event bus.";
                return Err(Failure::new("ValidationException", message));
            }
            bus.rules.insert(request.name.clone(), rule);
            Ok(json!({ "RuleArn": self.rule_arn(bus_name, &request.name) }))
        })
    }

    fn delete_rule(&self, request: &OfRule) -> Answer {
        self.change(|buses| {
            let bus = find_bus(buses, bus_name(request.event_bus_name.as_deref()))?;
            if bus.rules.get(&request.name).is_some_and(|rule| !rule.targets.is_empty()) {
                return Err(Failure::new("ValidationException", "Rule can't be deleted since it has targets."));
            }
            bus.rules.remove(&request.name);
            Ok(done())
        })
    }

    fn describe_rule(&self, request: &OfRule) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        let mut buses = self.buses();
        let rule = find_rule(find_bus(&mut buses, bus_name)?, bus_name, &request.name)?;
        Ok(self.told(bus_name, &request.name, rule))
    }

    fn switch(&self, request: &OfRule, is_enabled: bool) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        self.change(|buses| {
            let rule = find_rule(find_bus(buses, bus_name)?, bus_name, &request.name)?;
            rule.described.is_enabled = is_enabled;
            Ok(done())
        })
    }

    fn list_rules(&self, request: &ListRules) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        let prefix = request.name_prefix.as_deref().unwrap_or_default();
        let mut buses = self.buses();
        let rules = &find_bus(&mut buses, bus_name)?.rules;
        let told = rules
            .range(after(request.next_token.as_deref()))
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, rule)| (name.as_str(), self.told(bus_name, name, rule)));
        Ok(page("Rules", told, limit(request.limit)))
    }

    fn told(&self, bus: &str, name: &str, rule: &Rule) -> Value {
        let described = &rule.described;
        let mut told = Map::from_iter([
            ("Name".to_owned(), json!(name)),
            ("Arn".to_owned(), json!(self.rule_arn(bus, name))),
            ("State".to_owned(), json!(if described.is_enabled { "ENABLED" } else { "DISABLED" })),
            ("EventBusName".to_owned(), json!(bus)),
        ]);
        for (name, value) in [
            ("EventPattern", &described.event_pattern),
            ("ScheduleExpression", &described.schedule_expression),
            ("Description", &described.description),
            ("RoleArn", &described.role_arn),
        ] {
            told.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
        told.into()
    }
}

/// Targets.
impl Events {
    fn put_targets(&self, request: PutTargets) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        self.change(|buses| {
            let rule = find_rule(find_bus(buses, bus_name)?, bus_name, &request.rule)?;
            let mut described = rule.described.clone();
            described.targets.extend(request.targets.into_iter().map(|target| (target.id.clone(), target)));
            *rule = Rule::new(described, rule.is_of_template)?;
            Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
        })
    }

    fn remove_targets(&self, request: &RemoveTargets) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        self.change(|buses| {
            let rule = find_rule(find_bus(buses, bus_name)?, bus_name, &request.rule)?;
            let mut described = rule.described.clone();
            described.targets.retain(|id, _| !request.ids.contains(id));
            *rule = Rule::new(described, rule.is_of_template)?;
            Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
        })
    }

    fn list_targets(&self, request: &ListTargets) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        let mut buses = self.buses();
        let rule = find_rule(find_bus(&mut buses, bus_name)?, bus_name, &request.rule)?;
        let targets = rule.described.targets.range(after(request.next_token.as_deref()));
        Ok(page("Targets", targets.map(|(id, target)| (id.as_str(), json!(target))), limit(request.limit)))
    }

    fn list_rule_names(&self, request: &ListRuleNames) -> Answer {
        let bus_name = bus_name(request.event_bus_name.as_deref());
        let mut buses = self.buses();
        let rules = &find_bus(&mut buses, bus_name)?.rules;
        let has_target = |rule: &Rule| rule.described.targets.values().any(|target| target.arn == request.target_arn);
        let names = rules
            .range(after(request.next_token.as_deref()))
            .filter(|(_, rule)| has_target(rule))
            .map(|(name, _)| (name.as_str(), json!(name)));
        Ok(page("RuleNames", names, limit(request.limit)))
    }
}

/// Buses.
impl Events {
    fn create_bus(&self, request: CreateBus) -> Answer {
        check_name(&request.name)?;
        let tags = Tags::of_new(request.tags, TAGS)?;
        self.change(|buses| {
            match buses.entry(request.name.clone()) {
                Entry::Occupied(_) => {
                    let message = format!("Event bus {} already exists.", request.name);
                    return Err(Failure::new("ResourceAlreadyExistsException", message));
                }
                Entry::Vacant(entry) => {
                    entry.insert(Bus { description: request.description, tags, ..Bus::default() });
                }
            }
            Ok(json!({ "EventBusArn": self.bus_arn(&request.name) }))
        })
    }

    fn delete_bus(&self, request: &OfBus) -> Answer {
        let name = bus_name(request.name.as_deref());
        if name == DEFAULT_BUS {
            return Err(Failure::new("ValidationException", "Cannot delete event bus default."));
        }
        self.change(|buses| {
            if buses.get(name).is_some_and(|bus| !bus.rules.is_empty()) {
                return Err(Failure::new(
                    "ValidationException",
                    format!("Cannot delete event bus {name}. It has rules."),
                ));
            }
            buses.remove(name);
            Ok(done())
        })
    }

    fn describe_bus(&self, request: &OfBus) -> Answer {
        let name = bus_name(request.name.as_deref());
        let mut buses = self.buses();
        let bus = find_bus(&mut buses, name)?;
        Ok(self.told_bus(name, bus))
    }

    fn list_buses(&self, request: &ListBuses) -> Value {
        let prefix = request.name_prefix.as_deref().unwrap_or_default();
        let buses = self.buses();
        let told = buses
            .range(after(request.next_token.as_deref()))
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, bus)| (name.as_str(), self.told_bus(name, bus)));
        page("EventBuses", told, limit(request.limit))
    }

    fn told_bus(&self, name: &str, bus: &Bus) -> Value {
        let mut told = json!({ "Name": name, "Arn": self.bus_arn(name) });
        if let Some(description) = &bus.description {
            told["Description"] = json!(description);
        }
        told
    }

    fn bus_arn(&self, name: &str) -> String {
        self.location.arn_of(&Target::EventBus(name.to_owned()))
    }
}

/// Tags of rules and buses.
impl Events {
    fn tag_resource(&self, request: TagResource) -> Answer {
        self.change(|buses| {
            self.tags_of(buses, &request.resource_arn)?.add(request.tags, TAGS)?;
            Ok(done())
        })
    }

    fn untag_resource(&self, request: &UntagResource) -> Answer {
        self.change(|buses| {
            self.tags_of(buses, &request.resource_arn)?.remove(&request.tag_keys);
            Ok(done())
        })
    }

    fn list_tags(&self, request: &OfResource) -> Answer {
        let mut buses = self.buses();
        Ok(json!({ "Tags": self.tags_of(&mut buses, &request.resource_arn)?.list() }))
    }

    /// The tags of `rule/<name>`, `rule/<bus>/<name>` or `event-bus/<name>`.
    fn tags_of<'a>(&self, buses: &'a mut BTreeMap<String, Bus>, arn: &str) -> Result<&'a mut Tags, Failure> {
        let refused = || Failure::new("ValidationException", "Parameter ResourceARN is not valid.");
        match self.location.resource_of("events", arn).and_then(|resource| resource.split_once('/')) {
            Some(("event-bus", name)) => find_bus(buses, name).map(|bus| &mut bus.tags),
            Some(("rule", rule)) => {
                // The name of a rule may have a slash itself; the bus goes before it.
                let (bus, name) = match rule.split_once('/') {
                    Some((bus, name)) if buses.contains_key(bus) => (bus, name),
                    _ => (DEFAULT_BUS, rule),
                };
                find_rule(find_bus(buses, bus)?, bus, name).map(|rule| &mut rule.described.tags)
            }
            _ => Err(refused()),
        }
    }
}

/// A bus may be named by its ARN.
fn bus_name(name: Option<&str>) -> &str {
    name.map_or(DEFAULT_BUS, |name| name.rsplit('/').next().unwrap_or(name))
}

fn find_bus<'a>(buses: &'a mut BTreeMap<String, Bus>, name: &str) -> Result<&'a mut Bus, Failure> {
    buses
        .get_mut(name)
        .ok_or_else(|| Failure::new("ResourceNotFoundException", format!("Event bus {name} does not exist.")))
}

fn find_rule<'a>(bus: &'a mut Bus, bus_name: &str, name: &str) -> Result<&'a mut Rule, Failure> {
    bus.rules.get_mut(name).ok_or_else(|| {
        let message = format!("Rule {name} does not exist on EventBus {bus_name}.");
        Failure::new("ResourceNotFoundException", message)
    })
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    if name.is_empty() || name.len() > 256 || !name.bytes().all(is_allowed) {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\.\\-_A-Za-z0-9]+"
        );
        return Err(Failure::new("ValidationException", message));
    }
    Ok(())
}

/// How many things a client wants on a page.
fn limit(wanted: Option<usize>) -> usize {
    wanted.unwrap_or(PAGE).min(PAGE)
}
