//! JSON bodies: members under their names, moments as seconds.

use asl::{Value, value::Object};
use engine::services::{Member, Model, Shape, Structure, TimestampFormat};

use super::{Unreadable, moment};

/// An object as it is sent.
pub(super) fn object(model: &Model, shape: &Structure, fields: &Object) -> Value {
    let fields = shape.members.iter().filter_map(|(name, member)| {
        let value = fields.get(name.as_str())?;
        Some((member.sent_as(name).into(), part(model, member, value)))
    });
    fields.collect::<Object>().into()
}

fn part(model: &Model, member: &Member, value: &Value) -> Value {
    match (model.of(member), value) {
        (Shape::Timestamp { format }, value) => moment::sent(value, format.unwrap_or(TimestampFormat::Epoch)),
        (Shape::List { item, .. }, Value::Array(items)) => {
            items.iter().map(|value| part(model, item, value)).collect::<Vec<_>>().into()
        }
        (Shape::Map { value: member, .. }, Value::Object(fields)) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), part(model, member, value)));
            fields.collect::<Object>().into()
        }
        (Shape::Structure(shape), Value::Object(fields)) => object(model, shape, fields),
        _ => value.clone(),
    }
}

/// The object of a body. An empty body is an empty object.
pub(super) fn read(model: &Model, shape: &Structure, body: &[u8]) -> Result<Object, Unreadable> {
    if body.is_empty() {
        return Ok(Object::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(told(model, shape, &fields)),
        _ => Err(Unreadable::Syntax("JSON object")),
    }
}

/// The members of an object that came, under their own names.
pub(super) fn told(model: &Model, shape: &Structure, fields: &Object) -> Object {
    let members = shape.members.iter().filter_map(|(name, member)| {
        let value = fields.get(member.sent_as(name))?;
        Some((name.as_str().into(), told_part(model, member, value)))
    });
    members.collect()
}

fn told_part(model: &Model, member: &Member, value: &Value) -> Value {
    match (model.of(member), value) {
        (Shape::Timestamp { .. }, value) => moment::told(value),
        (Shape::List { item, .. }, Value::Array(items)) => {
            items.iter().map(|value| told_part(model, item, value)).collect::<Vec<_>>().into()
        }
        (Shape::Map { value: member, .. }, Value::Object(fields)) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), told_part(model, member, value)));
            fields.collect::<Object>().into()
        }
        (Shape::Structure(shape), Value::Object(fields)) => told(model, shape, fields).into(),
        _ => value.clone(),
    }
}
