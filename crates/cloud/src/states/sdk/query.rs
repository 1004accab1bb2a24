//! The query protocol: a form with a pair for each scalar, answered in XML.

use asl::{Value, value::Object};
use engine::services::{Member, Model, Operation, Shape, Structure, TimestampFormat};
use percent_encoding::utf8_percent_encode;

use super::{ENCODED, Unreadable, moment, text, wire_name, xml};

/// The form of a call.
pub(super) fn form(operation: &Operation, version: &str, parameters: &Object) -> String {
    let mut pairs = vec![("Action".to_owned(), wire_name(operation)), ("Version".to_owned(), version.to_owned())];
    if let Some(shape) = operation.model.structure(operation.action.input.as_deref()) {
        structure(operation.model, shape, "", parameters, &mut pairs);
    }
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn structure(model: &Model, shape: &Structure, prefix: &str, fields: &Object, pairs: &mut Vec<(String, String)>) {
    for (name, member) in &shape.members {
        if let Some(value) = fields.get(name.as_str()) {
            part(model, member, &format!("{prefix}{}", member.sent_as(name)), value, pairs);
        }
    }
}

fn part(model: &Model, member: &Member, name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match (model.of(member), value) {
        (Shape::Timestamp { format }, value) => {
            let value = moment::sent(value, format.unwrap_or(TimestampFormat::Iso8601));
            pairs.extend(text(&value).map(|text| (name.to_owned(), text)));
        }
        (Shape::List { item, flat }, Value::Array(items)) => {
            // A list without items is said too.
            if items.is_empty() {
                pairs.push((name.to_owned(), String::new()));
            }
            let prefix = if *flat { name.to_owned() } else { format!("{name}.{}", item.sent_as("member")) };
            for (index, value) in items.iter().enumerate() {
                part(model, item, &format!("{prefix}.{}", index + 1), value, pairs);
            }
        }
        (Shape::Map { key, value: member, flat }, Value::Object(fields)) => {
            let prefix = if *flat { name.to_owned() } else { format!("{name}.entry") };
            for (index, (name, value)) in fields.iter().enumerate() {
                let prefix = format!("{prefix}.{}", index + 1);
                pairs.push((format!("{prefix}.{}", key.sent_as("key")), name.to_string()));
                part(model, member, &format!("{prefix}.{}", member.sent_as("value")), value, pairs);
            }
        }
        (Shape::Structure(shape), Value::Object(fields)) => structure(model, shape, &format!("{name}."), fields, pairs),
        _ => pairs.extend(text(value).map(|text| (name.to_owned(), text))),
    }
}

/// The members of `<ActionResult>`, which is inside `<ActionResponse>`.
pub(super) fn read(operation: &Operation, shape: &Structure, body: &[u8]) -> Result<Object, Unreadable> {
    let response = xml::parse(body)?;
    let result = response.child(&format!("{}Result", wire_name(operation)));
    Ok(result.map(|result| xml::structure(operation.model, shape, result)).unwrap_or_default())
}
