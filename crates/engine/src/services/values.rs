//! Values on their way to a service and back: a task's parameters by the model, and a result as the task gives it.
//!
//! On the wire side everything has the service's own names, moments are RFC 3339 texts, and what is `null` is not there.

use asl::{Value, value::Object};

use super::{Member, Model, Shape, Structure, names::Style};

/// Parameters that a call can't be made with, in the service's words. Each names a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// There is no such field.
    #[error("The field '{0}' is not supported by Step Functions")]
    Unknown(String),
    /// A field that must be there is not.
    #[error("The field '{0}' is required but was missing")]
    Missing(String),
    /// A field has a value of another type than it takes.
    #[error("The value of the field '{0}' has an invalid format")]
    Format(String),
    /// They have no fields.
    #[error("The parameters are no object")]
    NoObject,
}

/// Reads a task's parameters.
pub(super) struct Reader<'a> {
    pub(super) model: &'a Model,
    pub(super) style: Style,
    /// What stands for a token of idempotency that the parameters do not have.
    pub(super) token: &'a str,
}

impl Reader<'_> {
    /// The parameters of an action, as they are sent.
    pub(super) fn parameters(&self, shape: &Structure, parameters: &Object) -> Result<Object, Misfit> {
        let mut sent = self.fields(shape, parameters)?;
        for (name, _) in shape.members.iter().filter(|(_, member)| member.token) {
            sent.entry(name.as_str().into()).or_insert_with(|| self.token.into());
        }
        Ok(sent)
    }

    fn fields(&self, shape: &Structure, given: &Object) -> Result<Object, Misfit> {
        let mut sent = Object::new();
        for (field, value) in given {
            let (name, member) = find(shape, self.style, field).ok_or_else(|| Misfit::Unknown(field.to_string()))?;
            if *value != Value::Null {
                let is_payload = shape.payload.as_deref() == Some(name);
                sent.insert(name.into(), self.value(field, member, value, is_payload)?);
            }
        }
        Ok(sent)
    }

    pub(super) fn value(&self, field: &str, member: &Member, value: &Value, is_payload: bool) -> Result<Value, Misfit> {
        let misfit = || Misfit::Format(field.to_owned());
        match (self.model.of(member), value) {
            // A body can be any JSON.
            (Shape::Blob { .. }, value) if is_payload => Ok(value.clone()),
            (Shape::Any, _)
            | (Shape::String { .. } | Shape::Blob { .. } | Shape::Timestamp { .. }, Value::String(_))
            | (Shape::Timestamp { .. } | Shape::Number { .. }, Value::Number(_))
            | (Shape::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (Shape::String { .. }, value) => Ok(value.to_string().into()),
            (Shape::Number { .. }, Value::String(text)) => match Value::parse(text) {
                Ok(number @ Value::Number(_)) => Ok(number),
                _ => Err(misfit()),
            },
            (Shape::Boolean, Value::String(text)) => match &**text {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err(misfit()),
            },
            (Shape::List { item, .. }, Value::Array(items)) => {
                let items = items.iter().filter(|value| **value != Value::Null);
                let items = items.map(|value| self.value(field, item, value, false)).collect::<Result<Vec<_>, _>>()?;
                Ok(items.into())
            }
            (Shape::Map { value: member, .. }, Value::Object(fields)) => {
                let fields = fields.iter().filter(|(_, value)| **value != Value::Null);
                let fields = fields.map(|(key, value)| Ok((key.clone(), self.value(field, member, value, false)?)));
                Ok(fields.collect::<Result<Object, Misfit>>()?.into())
            }
            (Shape::Structure(shape), Value::Object(fields)) => Ok(self.fields(shape, fields)?.into()),
            _ => Err(misfit()),
        }
    }
}

/// The member that an integration's field is, with its own name.
pub fn find<'a>(shape: &'a Structure, style: Style, field: &str) -> Option<(&'a str, &'a Member)> {
    let found = shape.members.iter().find(|(name, _)| style.member(name) == field);
    found.map(|(name, member)| (name.as_str(), member))
}

/// What a service answered, as a task's result has it. What the model does not know is left out.
pub fn result(model: &Model, style: Style, shape: &Structure, answer: &Object) -> Object {
    let known = shape.members.iter().filter_map(|(name, member)| {
        let value = answer.get(name.as_str()).filter(|value| **value != Value::Null)?;
        Some((style.member(name).into(), part(model, style, member, value)))
    });
    let mut fields: Object = known.collect();
    fields.sort_unstable_keys();
    fields
}

fn part(model: &Model, style: Style, member: &Member, value: &Value) -> Value {
    match (model.of(member), value) {
        (Shape::List { item, .. }, Value::Array(items)) => {
            items.iter().map(|value| part(model, style, item, value)).collect::<Vec<_>>().into()
        }
        (Shape::Map { value: member, .. }, Value::Object(fields)) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), part(model, style, member, value)));
            fields.collect::<Object>().into()
        }
        (Shape::Structure(shape), Value::Object(fields)) => result(model, style, shape, fields).into(),
        _ => value.clone(),
    }
}
