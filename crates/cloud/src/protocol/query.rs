//! The query protocol: parameters in a form with dotted names, answers in XML.

use std::{collections::BTreeMap, fmt::Write};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Dialect;

/// How deep the dotted names of a form may go.
const MAX_DEPTH: usize = 8;

/// What things are called in the query protocol.
pub(crate) struct Names {
    /// Parameters that are lists or maps, by their JSON names. In answers they are written in the same form.
    pub(crate) parameters: &'static [(&'static str, Form)],
    /// Fields that are in answers only.
    pub(crate) answers: &'static [(&'static str, Form)],
    /// Parameters that are numbers, `true` or `false`.
    pub(crate) typed: &'static [&'static str],
}

/// How a list or a map is written.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A list whose items stand beside each other, under this name: `AttributeName.1`, `<QueueUrl>`.
    Flat(&'static str),
    /// As [`Form::Flat`], under the operation's name and this.
    FlatOf(&'static str),
    /// A map whose entries stand beside each other: under this name, each with its key and value.
    FlatMap(&'static str, &'static str, &'static str),
    /// A map in `entry`s, each with its key and value.
    Entries(&'static str, &'static str),
}

/// The operation's name and its parameters.
pub(super) fn read(form: &[u8], names: &Names) -> (String, Value) {
    let mut tree = Tree::default();
    let mut operation = String::new();
    for (name, value) in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(decode) {
        match name.as_str() {
            "Action" => operation = value,
            "Version" => {}
            _ if name.matches('.').count() < MAX_DEPTH => tree.put(&name, value),
            _ => {}
        }
    }
    let parameters = if tree.children.is_empty() { super::done() } else { tree.into_json(&operation, names) };
    (operation, parameters)
}

fn decode(pair: &[u8]) -> (String, String) {
    let pair = String::from_utf8_lossy(pair).replace('+', " ");
    let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (decode(name), decode(value))
}

#[derive(Default)]
struct Tree {
    text: String,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    fn put(&mut self, name: &str, value: String) {
        match name.split_once('.') {
            Some((first, rest)) => self.children.entry(first.to_owned()).or_default().put(rest, value),
            None => self.children.entry(name.to_owned()).or_default().text = value,
        }
    }

    fn into_json(mut self, operation: &str, names: &Names) -> Value {
        if self.children.is_empty() {
            return Value::String(self.text);
        }
        if let Some(wrapped) = self.children.remove("member").or_else(|| self.children.remove("entry")) {
            return wrapped.into_json(operation, names);
        }
        if self.children.keys().all(|key| key.parse::<u32>().is_ok()) {
            let mut items: Vec<_> = self.children.into_iter().collect();
            items.sort_by_key(|(index, _)| index.parse::<u32>().unwrap_or(u32::MAX));
            return items.into_iter().map(|(_, item)| item.into_json(operation, names)).collect();
        }
        let fields = self.children.into_iter().map(|(name, child)| {
            let value = child.into_json(operation, names);
            match names.of_parameter(&name, operation) {
                Some((name, form)) => (name.to_owned(), form.read(value)),
                None if names.typed.contains(&name.as_str()) => (name, typed(value)),
                None => (name, value),
            }
        });
        Value::Object(fields.collect())
    }
}

fn typed(value: Value) -> Value {
    match value.as_str() {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        Some(text) => text.parse::<i64>().map_or(value, Value::from),
        None => value,
    }
}

impl Names {
    /// Of a service that has no lists, maps and numbers, or that has no query protocol.
    pub(crate) const NONE: Self = Self { parameters: &[], answers: &[], typed: &[] };

    /// The JSON name and the form of what a parameter is called here.
    fn of_parameter(&self, name: &str, operation: &str) -> Option<(&'static str, Form)> {
        let called = |json: &str, form: &Form| match form {
            Form::Flat(item) | Form::FlatMap(item, ..) => *item == name,
            Form::FlatOf(suffix) => name.strip_prefix(operation).is_some_and(|rest| rest == *suffix),
            Form::Entries(..) => json == name,
        };
        self.parameters.iter().find(|(json, form)| called(json, form)).map(|(json, form)| (*json, *form))
    }

    fn of_answer(&self, name: &str) -> Option<Form> {
        self.answers.iter().chain(self.parameters).find(|(json, _)| *json == name).map(|(_, form)| *form)
    }
}

impl Form {
    /// The JSON of a parameter: the entries of a map become its fields.
    fn read(self, value: Value) -> Value {
        match (self, value) {
            (Self::FlatMap(_, key, value_name) | Self::Entries(key, value_name), Value::Array(entries)) => {
                let entries = entries.into_iter().filter_map(|mut entry| {
                    let name = entry.get(key).or_else(|| entry.get("Name"))?.as_str()?.to_owned();
                    let value = entry.get_mut(value_name).map(Value::take);
                    Some((name, value.or_else(|| entry.get_mut("Value").map(Value::take)).unwrap_or_default()))
                });
                Value::Object(entries.collect())
            }
            // A list of one may come without its number.
            (Self::Flat(_) | Self::FlatOf(_), value) if !value.is_array() => Value::Array(vec![value]),
            (_, value) => value,
        }
    }
}

/// The answer as XML.
pub(super) fn write(operation: &str, answer: &Value, dialect: &Dialect, request_id: &str) -> String {
    let mut xml = format!("<?xml version=\"1.0\"?><{operation}Response xmlns=\"{}\">", dialect.namespace);
    // Also an answer that says nothing: a client may look for its element.
    if let Value::Object(fields) = answer {
        let writer = Writer { operation, names: &dialect.names };
        let _ = write!(xml, "<{operation}Result>");
        writer.fields(fields, &mut xml);
        let _ = write!(xml, "</{operation}Result>");
    }
    let _ =
        write!(xml, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>");
    xml
}

struct Writer<'a> {
    operation: &'a str,
    names: &'a Names,
}

impl Writer<'_> {
    fn fields(&self, fields: &Map<String, Value>, xml: &mut String) {
        for (name, value) in fields {
            match (self.names.of_answer(name), value) {
                (Some(Form::Flat(item)), Value::Array(items)) => self.items(item, items, xml),
                (Some(Form::FlatOf(suffix)), Value::Array(items)) => {
                    self.items(&format!("{}{suffix}", self.operation), items, xml);
                }
                (Some(Form::FlatMap(item, key, value)), Value::Object(entries)) => {
                    self.entries(item, key, value, entries, xml);
                }
                (Some(Form::Entries(key, value)), Value::Object(entries)) => {
                    element(name, xml, |xml| self.entries("entry", key, value, entries, xml));
                }
                (_, Value::Array(items)) => element(name, xml, |xml| self.items("member", items, xml)),
                (_, value) => element(name, xml, |xml| self.value(value, xml)),
            }
        }
    }

    fn items(&self, name: &str, items: &[Value], xml: &mut String) {
        for item in items {
            element(name, xml, |xml| self.value(item, xml));
        }
    }

    fn entries(&self, item: &str, key: &str, value: &str, entries: &Map<String, Value>, xml: &mut String) {
        for (name, content) in entries {
            element(item, xml, |xml| {
                element(key, xml, |xml| escape(name, xml));
                element(value, xml, |xml| self.value(content, xml));
            });
        }
    }

    fn value(&self, value: &Value, xml: &mut String) {
        match value {
            Value::Object(fields) => self.fields(fields, xml),
            Value::Array(items) => self.items("member", items, xml),
            Value::String(text) => escape(text, xml),
            Value::Null => {}
            other => xml.push_str(&other.to_string()),
        }
    }
}

fn element(name: &str, xml: &mut String, content: impl FnOnce(&mut String)) {
    let _ = write!(xml, "<{name}>");
    content(xml);
    let _ = write!(xml, "</{name}>");
}

fn escape(text: &str, xml: &mut String) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => xml.push_str("&#13;"),
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: Names = Names {
        parameters: &[
            ("AttributeNames", Form::Flat("AttributeName")),
            ("Attributes", Form::FlatMap("Attribute", "Name", "Value")),
            ("Settings", Form::Entries("key", "value")),
            ("Entries", Form::FlatOf("RequestEntry")),
        ],
        answers: &[("QueueUrls", Form::Flat("QueueUrl")), ("Successful", Form::FlatOf("ResultEntry"))],
        typed: &["Delay"],
    };

    #[test]
    fn a_form_becomes_the_parameters_of_the_operation() {
        for (form, expected) in [
            ("Action=Do&Version=1&Name=a%20b+c&Delay=5", json!({ "Name": "a b c", "Delay": 5 })),
            ("Action=Do&Attribute.1.Name=Delay&Attribute.1.Value=5", json!({ "Attributes": { "Delay": "5" } })),
            ("Action=Do&AttributeName.2=b&AttributeName.1=a", json!({ "AttributeNames": ["a", "b"] })),
            ("Action=Do&Version=1", json!({})),
            ("Action=Do&QueueUrl=a", json!({ "QueueUrl": "a" })),
            ("Action=Do&Tags.member.1.Key=k&Tags.member.1.Value=v", json!({ "Tags": [{ "Key": "k", "Value": "v" }] })),
            ("Action=Do&Settings.entry.1.key=k&Settings.entry.1.value=v", json!({ "Settings": { "k": "v" } })),
            (
                "Action=Do&DoRequestEntry.1.Id=x&DoRequestEntry.1.Delay=1",
                json!({ "Entries": [{ "Id": "x", "Delay": 1 }] }),
            ),
        ] {
            assert_eq!(read(form.as_bytes(), &NAMES), ("Do".to_owned(), expected), "{form}");
        }
    }

    #[test]
    fn an_answer_becomes_xml() {
        let dialect = Dialect { title: "", content_type: "", namespace: "urn:x", max_body: 0, names: NAMES };
        let answer = json!({
            "QueueUrls": ["a&b"],
            "Attributes": { "n": "<v>" },
            "Settings": { "k": "v" },
            "Successful": [{ "Id": 1 }],
            "Others": ["m"],
        });
        let xml = write("Do", &answer, &dialect, "id");
        let expected = "<?xml version=\"1.0\"?><DoResponse xmlns=\"urn:x\"><DoResult><QueueUrl>a&amp;b</QueueUrl>\
            <Attribute><Name>n</Name><Value>&lt;v&gt;</Value></Attribute>\
            <Settings><entry><key>k</key><value>v</value></entry></Settings>\
            <DoResultEntry><Id>1</Id></DoResultEntry><Others><member>m</member></Others></DoResult>\
            <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>";
        assert_eq!(xml, expected);
    }
}
