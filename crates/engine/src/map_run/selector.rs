//! `ItemSelector` of a distributed Map state: evaluated outside of its execution, item by item.

use std::{cell::Cell, sync::Arc};

use asl::{Fault, Scope, Value, context::Environment, template::Template, value::Object};
use time::OffsetDateTime;

use super::Item;

/// A template with what it reads, as that was when the state was entered.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) template: Template,
    /// `$`: the state's input after `InputPath`; in JSONata the input itself.
    pub(crate) input: Value,
    /// The context object, without an item.
    pub(crate) context: Value,
    pub(crate) variables: Arc<Object>,
    pub(crate) now: OffsetDateTime,
    /// Where the random numbers of all items come from.
    pub(crate) seed: u64,
    /// What comes before the cause of an error.
    pub(crate) prefix: String,
}

/// What one item's evaluation sees.
struct AtItem<'a> {
    selector: &'a Selector,
    index: u64,
    item: &'a Item,
    random: Cell<u64>,
}

impl Selector {
    pub(super) fn select(&self, index: u64, item: &Item) -> Result<Value, Fault> {
        let random = Cell::new(self.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let environment = AtItem { selector: self, index, item, random };
        self.template.fill(&Scope::new(&self.input, &environment)).map_err(|error| {
            let cause = error.fault.cause.unwrap_or_default();
            Fault { error: error.fault.error, cause: Some(format!("{}{cause}", self.prefix).into()) }
        })
    }
}

impl Environment for AtItem<'_> {
    fn context(&self) -> Value {
        let mut item =
            Object::from_iter([("Index".into(), self.index.into()), ("Value".into(), self.item.value.clone())]);
        item.extend(self.item.key.clone().map(|key| ("Key".into(), key.into())));
        item.insert("Source".into(), self.item.source.clone().into());
        let map = Value::from([("Item", Value::from(item))]);
        match &self.selector.context {
            Value::Object(context) => {
                let mut context = Object::clone(context);
                context.insert("Map".into(), map);
                context.into()
            }
            other => other.clone(),
        }
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.selector.variables.get(name).cloned()
    }

    fn now(&self) -> OffsetDateTime {
        self.selector.now
    }

    fn random(&self) -> u64 {
        asl::random::next(&self.random)
    }
}
