//! What may be found in a value, as far as a definition tells.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    path::{Path, ReferencePath, Turn},
    value::Value,
};

/// The most places that are kept of one value, and how deep they may lie: beyond that, a value can be anything.
const MAX_PLACES: usize = 2000;
const MAX_DEPTH: usize = 64;

/// The places that a value may have.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Not known: any place.
    Anything,
    /// No others than these.
    Only(Arc<Places>),
}

/// The places right below a value.
#[derive(Debug, Default)]
pub(super) struct Places {
    fields: BTreeMap<Arc<str>, Shape>,
    /// What the items of an array are, where it may be one.
    items: Option<Shape>,
    /// How many places there are, at whatever depth, and how deep the deepest is.
    count: usize,
    depth: usize,
}

/// A place that a value does not have.
pub(super) struct Never {
    /// The name that is not there.
    pub(super) name: Arc<str>,
    /// Those that are.
    pub(super) there: Vec<Arc<str>>,
}

impl Shape {
    /// A value without places below it.
    pub(super) fn scalar() -> Self {
        Self::Only(Arc::default())
    }

    pub(super) fn object(fields: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        Self::new(fields.into_iter().collect(), None)
    }

    /// An array whose items all are of one shape.
    pub(super) fn array(items: Self) -> Self {
        Self::new(BTreeMap::new(), Some(items))
    }

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Object(fields) => Self::object(fields.iter().map(|(name, value)| (name.clone(), Self::of(value)))),
            Value::Array(items) => Self::array_of(items.iter().map(Self::of)),
            _ => Self::scalar(),
        }
    }

    /// An array of these items.
    pub(super) fn array_of(items: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::scalar();
        items.for_each(|item| all = all.or(&item));
        Self::array(all)
    }

    fn new(fields: BTreeMap<Arc<str>, Self>, items: Option<Self>) -> Self {
        let below = fields.values().chain(&items).map(Self::extent);
        let (count, depth) = below.fold((0_usize, 0), |(places, deepest), (count, depth)| {
            (places.saturating_add(count).saturating_add(1), deepest.max(depth + 1))
        });
        if count > MAX_PLACES || depth > MAX_DEPTH {
            return Self::Anything;
        }
        Self::Only(Arc::new(Places { fields, items, count, depth }))
    }

    /// How many places there are below, and how deep they lie.
    fn extent(&self) -> (usize, usize) {
        match self {
            Self::Anything => (0, 0),
            Self::Only(places) => (places.count, places.depth),
        }
    }

    /// A value that is the one or the other.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Anything, _) | (_, Self::Anything) => Self::Anything,
            (Self::Only(one), Self::Only(two)) if Arc::ptr_eq(one, two) => self.clone(),
            (Self::Only(one), Self::Only(two)) => {
                let mut fields = one.fields.clone();
                for (name, shape) in &two.fields {
                    let joined = fields.get(name).map_or_else(|| shape.clone(), |known| known.or(shape));
                    fields.insert(name.clone(), joined);
                }
                let items = match (&one.items, &two.items) {
                    (Some(one), Some(two)) => Some(one.or(two)),
                    (items, None) | (None, items) => items.clone(),
                };
                Self::new(fields, items)
            }
        }
    }

    /// Whether every place of another value is one of this one too.
    pub(super) fn has_all_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Anything, _) => true,
            (_, Self::Anything) => false,
            (Self::Only(one), Self::Only(two)) => {
                let has = |one: Option<&Self>, two: &Self| one.is_some_and(|one| one.has_all_of(two));
                Arc::ptr_eq(one, two)
                    || two.fields.iter().all(|(name, shape)| has(one.fields.get(name), shape))
                        && two.items.iter().all(|items| has(one.items.as_ref(), items))
            }
        }
    }

    /// What a path leads to.
    pub(super) fn follow(&self, path: &Path) -> Result<Self, Never> {
        let mut at = self;
        for turn in path.turns() {
            let Self::Only(places) = at else { return Ok(Self::Anything) };
            at = match turn {
                Turn::Field(name) => places.fields.get(name).ok_or_else(|| places.without(name))?,
                Turn::Item => places.items.as_ref().ok_or_else(|| places.without(&"[]".into()))?,
                Turn::Many => return Ok(Self::Anything),
            };
        }
        Ok(at.clone())
    }

    /// What a field of JSONata leads to: that of an array is one of its items.
    pub(super) fn field_of_each(&self, name: &str) -> Result<Self, Never> {
        let Self::Only(places) = self else { return Ok(Self::Anything) };
        let own = places.fields.get(name).cloned();
        let of_items = places.items.as_ref().and_then(|items| items.field_of_each(name).ok());
        match (own, of_items) {
            (Some(one), Some(two)) => Ok(one.or(&two)),
            (Some(shape), None) | (None, Some(shape)) => Ok(shape),
            (None, None) => {
                let of_items = places.items.iter().flat_map(Self::names);
                Err(Never { name: name.into(), there: self.names().into_iter().chain(of_items).collect() })
            }
        }
    }

    /// The names of its fields, as far as they are known.
    fn names(&self) -> Vec<Arc<str>> {
        match self {
            Self::Anything => Vec::new(),
            Self::Only(places) => places.fields.keys().cloned().collect(),
        }
    }

    /// The items of an array.
    pub(super) fn items(&self) -> Self {
        match self {
            Self::Anything => Self::Anything,
            Self::Only(places) => places.items.clone().unwrap_or(Self::Anything),
        }
    }

    /// This value with another one written into it.
    pub(super) fn with(&self, path: &ReferencePath, part: Self) -> Self {
        let turns: Vec<_> = path.turns().collect();
        self.written(&turns, part)
    }

    fn written(&self, turns: &[Turn<'_>], part: Self) -> Self {
        let Some((first, rest)) = turns.split_first() else { return part };
        let Self::Only(places) = self else { return Self::Anything };
        match first {
            Turn::Field(name) => {
                let mut fields = places.fields.clone();
                let below = fields.get(*name).cloned().unwrap_or_else(Self::scalar).written(rest, part);
                fields.insert((*name).clone(), below);
                Self::new(fields, places.items.clone())
            }
            Turn::Item | Turn::Many => Self::Anything,
        }
    }
}

impl Places {
    fn without(&self, name: &Arc<str>) -> Never {
        Never { name: name.clone(), there: self.fields.keys().cloned().collect() }
    }
}
