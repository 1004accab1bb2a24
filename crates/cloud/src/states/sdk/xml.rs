//! XML bodies: an element for each member.

use std::fmt::Write as _;

use asl::{Value, value::Object};
use engine::services::{Member, Model, Shape, Structure, TimestampFormat};
use quick_xml::{Reader, escape::escape, events::Event};

use super::{Unreadable, moment, text};

/// How deep elements may be inside each other.
const DEEPEST: usize = 64;

/// An element: its name without a prefix, what is in it, and its own text.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first element of this name at whatever depth, this one among them.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }
}

/// Reads a document.
pub(super) fn parse(body: &[u8]) -> Result<Element, Unreadable> {
    parse_text(body).ok_or(Unreadable::Syntax("XML document"))
}

fn parse_text(body: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_reader(body);
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if open.len() < DEEPEST => open.push(Element::named(tag.local_name().into_inner())),
            Event::Empty(tag) if open.len() < DEEPEST => {
                let element = Element::named(tag.local_name().into_inner());
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Some(element),
                }
            }
            Event::End(_) => {
                let element = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Some(element),
                }
            }
            Event::Text(part) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&part.decode().ok()?);
                }
            }
            Event::CData(part) => open.last_mut()?.text.push_str(&part.decode().ok()?),
            Event::GeneralRef(reference) => {
                let element = open.last_mut()?;
                match reference.resolve_char_ref().ok()? {
                    Some(letter) => element.text.push(letter),
                    None => {
                        element.text.push_str(quick_xml::escape::resolve_predefined_entity(&reference.decode().ok()?)?);
                    }
                }
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) | Event::Eof | Event::Start(_) | Event::Empty(_) => return None,
        }
    }
}

impl Element {
    fn named(name: &[u8]) -> Self {
        Self { name: String::from_utf8_lossy(name).into_owned(), ..Self::default() }
    }
}

/// The members of an element.
pub(super) fn structure(model: &Model, shape: &Structure, element: &Element) -> Object {
    let members = shape.members.iter().filter_map(|(name, member)| {
        let sent_as = member.sent_as(name);
        let value = match model.of(member) {
            // Without an element around them the items stand among the other members.
            Shape::List { item, flat: true } => {
                let items: Vec<_> = element.children.iter().filter(|child| child.name == sent_as).collect();
                if items.is_empty() {
                    return None;
                }
                items.into_iter().map(|child| part(model, item, child)).collect::<Vec<_>>().into()
            }
            Shape::Map { key, value, flat: true } => {
                entries(model, key, value, element.children.iter().filter(|child| child.name == sent_as))?
            }
            _ => part(model, member, element.child(sent_as)?),
        };
        Some((name.as_str().into(), value))
    });
    members.collect()
}

/// The value of an element.
pub(super) fn part(model: &Model, member: &Member, element: &Element) -> Value {
    let text = || Value::from(element.text.as_str());
    match model.of(member) {
        Shape::Structure(shape) => structure(model, shape, element).into(),
        Shape::List { item, .. } => {
            element.children.iter().map(|child| part(model, item, child)).collect::<Vec<_>>().into()
        }
        Shape::Map { key, value, .. } => {
            entries(model, key, value, element.children.iter()).unwrap_or_else(Value::empty_object)
        }
        Shape::Timestamp { .. } => moment::told(&text()),
        Shape::Number { .. } | Shape::Boolean => Value::parse(element.text.trim()).unwrap_or_else(|_| text()),
        Shape::Any | Shape::String { .. } | Shape::Blob { .. } => text(),
    }
}

/// A map of elements that have a key and a value each; nothing where there is none.
fn entries<'a>(
    model: &Model,
    key: &Member,
    value: &Member,
    elements: impl Iterator<Item = &'a Element>,
) -> Option<Value> {
    let entries: Object = elements
        .filter_map(|element| {
            let name = element.child(key.sent_as("key"))?.text.as_str().into();
            Some((name, part(model, value, element.child(value.sent_as("value"))?)))
        })
        .collect();
    (!entries.is_empty()).then(|| entries.into())
}

/// Writes a value as an element of this name.
pub(super) fn write(model: &Model, member: &Member, name: &str, value: &Value, out: &mut String) {
    match (model.of(member), value) {
        (Shape::Structure(shape), Value::Object(fields)) => {
            let _ = write!(out, "<{name}");
            if let Some(namespace) = &member.namespace {
                let prefix = if shape.members.values().any(|member| member.attribute) { ":xsi" } else { "" };
                let _ = write!(out, " xmlns{prefix}=\"{}\"", escape(namespace));
            }
            let members =
                || shape.members.iter().filter_map(|(name, member)| Some((name, member, fields.get(name.as_str())?)));
            for (name, member, value) in members().filter(|(_, member, _)| member.attribute) {
                let _ = write!(out, " {}=\"{}\"", member.sent_as(name), escape(text(value).unwrap_or_default()));
            }
            out.push('>');
            for (name, member, value) in members().filter(|(_, member, _)| !member.attribute) {
                write(model, member, member.sent_as(name), value, out);
            }
            let _ = write!(out, "</{name}>");
        }
        (Shape::List { item, flat: true }, Value::Array(items)) => {
            items.iter().for_each(|value| write(model, item, name, value, out));
        }
        (Shape::List { item, flat: false }, Value::Array(items)) => {
            let _ = write!(out, "<{name}>");
            items.iter().for_each(|value| write(model, item, item.sent_as("member"), value, out));
            let _ = write!(out, "</{name}>");
        }
        (Shape::Map { key, value: member, flat }, Value::Object(fields)) => {
            let entry = if *flat { name } else { "entry" };
            let (open, close) =
                if *flat { (String::new(), String::new()) } else { (format!("<{name}>"), format!("</{name}>")) };
            out.push_str(&open);
            for (field, value) in fields.iter() {
                let key = key.sent_as("key");
                let _ = write!(out, "<{entry}><{key}>{}</{key}>", escape(&**field));
                write(model, member, member.sent_as("value"), value, out);
                let _ = write!(out, "</{entry}>");
            }
            out.push_str(&close);
        }
        (shape, value) => {
            let moment = match shape {
                Shape::Timestamp { format } => Some(moment::sent(value, format.unwrap_or(TimestampFormat::Iso8601))),
                _ => None,
            };
            let text = text(moment.as_ref().unwrap_or(value)).unwrap_or_default();
            let _ = write!(out, "<{name}>{}</{name}>", escape(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_with_its_entities() {
        let read = parse(
            b"<?xml version=\"1.0\"?>\n<a:Root xmlns:a=\"x\"><K>1 &lt; 2 &#65;<!-- c --><![CDATA[&]]></K><E/></a:Root>",
        );
        let root = read.unwrap();
        assert_eq!((&*root.name, &*root.child("K").unwrap().text), ("Root", "1 < 2 A&"));
        assert!(root.child("E").unwrap().text.is_empty());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        for text in
            ["", "text", "<a>", "<a></b>", "<a>&unknown;</a>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", &deep]
        {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
