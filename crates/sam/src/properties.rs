//! Typed reading of a resource's properties.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde_json::Value;

use crate::{
    problem::ProblemKind,
    source::Span,
    template::{Reported, Resource, Template},
    yaml::{Map, Node},
};

/// The properties of a resource, or a map inside them, whose values are resolved as they are read. A value of a wrong type is
/// noted and reads as none.
#[derive(Clone)]
pub(crate) struct Properties<'t> {
    pub(crate) template: &'t Template,
    /// `Resources/<id>/Properties`.
    pub(crate) place: String,
    pub(crate) at: Span,
    map: &'t Map,
}

impl<'t> Properties<'t> {
    pub(crate) fn of(template: &'t Template, id: &str, resource: &'t Resource) -> Self {
        Self { template, place: format!("Resources/{id}/Properties"), at: resource.at, map: &resource.properties }
    }

    pub(crate) fn over(template: &'t Template, place: String, at: Span, map: &'t Map) -> Self {
        Self { template, place, at, map }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&'t str, Span)> {
        self.map.iter().map(|(name, field)| (name.as_str(), field.key))
    }

    /// Notes the properties that are not among those that `owner` has.
    pub(crate) fn check_names(&self, owner: &str, known: &[&str]) {
        for (name, at) in self.names().filter(|(name, _)| !known.contains(name)) {
            self.template.report_unknown_property(owner, name, known, at);
        }
    }

    pub(crate) fn place_of(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    /// Where a property is: its key, or the map that does not have it.
    pub(crate) fn at(&self, name: &str) -> Span {
        self.map.get(name).map_or(self.at, |field| field.key)
    }

    /// A property before its functions are resolved.
    pub(crate) fn raw(&self, name: &str) -> Option<&'t Node> {
        self.map.get(name).map(|field| &field.value)
    }

    /// A property's value; an empty one is none.
    pub(crate) fn value(&self, name: &str) -> Result<Option<Node>, Reported> {
        let value = self.raw(name).map(|node| self.template.resolve(node)).transpose()?.flatten();
        Ok(value.filter(|value| !value.is_null()))
    }

    pub(crate) fn wrong_type(&self, name: &str, expected: &'static str, found: &Node) -> Reported {
        self.template
            .report(ProblemKind::WrongType { place: self.place_of(name), expected, found: found.describe() }, found.at)
    }

    fn typed<T>(&self, name: &str, expected: &'static str, read: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
        let value = self.value(name).ok()??;
        let typed = read(&value);
        if typed.is_none() {
            self.wrong_type(name, expected, &value);
        }
        typed
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.typed(name, "a text", |node| node.as_text().map(str::to_owned))
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, name: &'static str) -> Option<String> {
        if matches!(self.value(name), Ok(None)) {
            self.missing(name);
        }
        self.text(name)
    }

    pub(crate) fn missing(&self, property: &'static str) -> Reported {
        self.template.report(ProblemKind::MissingProperty { place: self.place.clone(), property }, self.at)
    }

    pub(crate) fn whole_number(&self, name: &str) -> Option<u32> {
        self.typed(name, "a whole number", |node| node.as_text()?.parse().ok())
    }

    /// A whole number that AWS takes only within bounds.
    pub(crate) fn whole_number_within(&self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let number = self.whole_number(name)?;
        if bounds.contains(&number) {
            return Some(number);
        }
        let (least, most) = bounds.into_inner();
        self.refuse(name, &number.to_string(), format!("it is from {least} to {most}"));
        None
    }

    /// Notes that a property has a value that it can't have.
    pub(crate) fn refuse(&self, name: &str, value: &str, reason: impl Into<String>) -> Reported {
        self.refuse_described(name, format!("`{value}`"), reason)
    }

    /// The same of a value that is told in words: `a list`.
    pub(crate) fn refuse_described(&self, name: &str, value: impl Into<String>, reason: impl Into<String>) -> Reported {
        let (place, value, reason) = (self.place_of(name), value.into(), reason.into());
        self.template.report(ProblemKind::UnsupportedValue { place, value, reason }, self.at(name))
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.typed(name, "true or false", Node::as_bool)
    }

    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        Some(self.value(name).ok()??.to_json())
    }

    /// A property that is a map, its own values unresolved.
    pub(crate) fn inner(&self, name: &str) -> Option<Properties<'t>> {
        let node = self.raw(name)?;
        let map = self.template.map_or_nothing(node, &self.place_of(name))?;
        Some(Properties { template: self.template, place: self.place_of(name), at: self.at(name), map })
    }

    /// A map of texts: an environment, substitutions.
    pub(crate) fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let Some(map) = self.inner(name) else {
            return BTreeMap::new();
        };
        map.names().filter_map(|(key, _)| Some((key.to_owned(), map.text(key)?))).collect()
    }
}
