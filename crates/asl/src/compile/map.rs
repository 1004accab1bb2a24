//! Map states.

use std::sync::Arc;

use super::{
    distributed,
    fields::{Fields, Language, Reads},
    graph::{Names, inner_graph},
    retry,
    state::transition,
};
use crate::{
    machine::{Graph, Items, Map, Processing},
    template::Template,
    value::Value,
};

/// The most concurrent iterations that a definition can ask for.
const MAX_CONCURRENCY: u64 = 1_000_000_000;

pub(super) fn map(names: &Names, fields: &mut Fields<'_>) -> Option<Map> {
    let items = items(fields);
    let item_selector = item_selector(fields);
    let max_concurrency = fields.count_or_expression("MaxConcurrency", "MaxConcurrencyPath", 0..=MAX_CONCURRENCY);
    let tolerated_failure_count =
        fields.count_or_expression("ToleratedFailureCount", "ToleratedFailureCountPath", 0..=u64::from(u32::MAX));
    let tolerated_failure_percentage =
        fields.percentage_or_expression("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
    let (processor, processing) = processor(names, fields).unzip();
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields);
    Some(Map {
        items: items?,
        item_selector,
        processor: processor?,
        processing: processing?,
        max_concurrency,
        tolerated_failure_count,
        tolerated_failure_percentage,
        on_error,
        transition: transition?,
    })
}

fn items(fields: &mut Fields<'_>) -> Option<Items> {
    match fields.language {
        Language::JsonPath => {
            fields.refuse_jsonata(&["Items"]);
            match fields.look("ItemsPath") {
                None => Some(Items::Input),
                Some(_) => fields.path_expression("ItemsPath").map(Items::Path),
            }
        }
        Language::Jsonata => {
            fields.refuse_json_path(&["ItemsPath"]);
            match fields.look("Items") {
                None => Some(Items::Input),
                Some(Value::Array(_) | Value::Object(_) | Value::String(_)) => {
                    let template = fields.template("Items", Reads::Input)?;
                    if let Template::Literal(Value::String(_)) = &template {
                        fields.error("Items", "Value must be an array or a JSONata expression");
                        return None;
                    }
                    Some(Items::Template(template))
                }
                Some(_) => {
                    fields.take("Items");
                    fields.error("Items", "Value must be an array or a JSONata expression");
                    None
                }
            }
        }
    }
}

/// `ItemSelector`, or `Parameters` in older definitions.
fn item_selector(fields: &mut Fields<'_>) -> Option<Template> {
    if fields.language == Language::Jsonata {
        return fields.template("ItemSelector", Reads::Input);
    }
    alternative(fields, "ItemSelector", "Parameters").and_then(|name| fields.template(name, Reads::Input))
}

fn processor(names: &Names, fields: &mut Fields<'_>) -> Option<(Arc<Graph>, Processing)> {
    let Some(name) = alternative(fields, "ItemProcessor", "Iterator") else {
        fields.require("ItemProcessor");
        return None;
    };
    let value = fields.take(name)?;
    let at = fields.at.child(name);
    let mut processor = fields.open_below(&value, at, names.language)?;
    let mode = distributed::mode(&mut processor);
    let graph = inner_graph(processor, names).map(Arc::new);
    // What comes with the mode is read even where the processor can't be used, so that all of it is told.
    let processing = distributed::processing(mode, graph.as_ref(), &value, names.language, fields);
    Some((graph?, processing?))
}

/// Which of a field's present name and its older one is there; not both may be.
fn alternative(fields: &mut Fields<'_>, name: &'static str, older: &'static str) -> Option<&'static str> {
    match (fields.has(name), fields.has(older)) {
        (true, true) => {
            fields.one_at_most(&[name, older]);
            fields.take(older);
            Some(name)
        }
        (true, false) => Some(name),
        (false, true) => Some(older),
        (false, false) => None,
    }
}
