//! YAML with everything kept that a template needs: tags, source positions, merge keys.
//!
//! A tag becomes the long form of its function: `!Sub x` is read as `{"Fn::Sub": "x"}`, so the rest of the crate knows
//! one form only.

use std::{borrow::Cow, collections::HashMap};

use indexmap::IndexMap;
use saphyr::{Marker, ScalarStyle, Tag};
use saphyr_parser::{Event, Parser, Span as YamlSpan, StrInput};
use serde_json::{Number, Value};

use crate::source::Span;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Span,
    pub(crate) data: Data,
}

#[derive(Debug, Clone)]
pub(crate) enum Data {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

pub(crate) type Map = IndexMap<String, Field>;

/// A value in a map, and the place of its key.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) key: Span,
    pub(crate) value: Node,
}

/// A scalar as it is written. CloudFormation passes text around, so the type is found only where one is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes, so it may be a number, a boolean or null.
    pub(crate) plain: bool,
}

impl Node {
    pub(crate) fn text(at: Span, text: impl Into<String>) -> Self {
        Self { at, data: Data::Scalar(Scalar { text: text.into(), plain: false }) }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(scalar) if !self.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|field| &field.value)
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(scalar) if scalar.plain && matches!(scalar.text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// A boolean in any of YAML 1.1's spellings, which is what SAM reads.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.as_text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// What the node is, in words.
    pub(crate) fn describe(&self) -> String {
        match &self.data {
            _ if self.is_null() => "nothing".to_owned(),
            Data::Scalar(scalar) => format!("`{}`", scalar.text),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a map".to_owned(),
        }
    }

    /// The node as JSON, scalars typed by YAML's core schema.
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(scalar) => scalar.to_json(),
            Data::List(items) => items.iter().map(Node::to_json).collect(),
            Data::Map(map) => {
                Value::Object(map.iter().map(|(key, field)| (key.clone(), field.value.to_json())).collect())
            }
        }
    }
}

impl Scalar {
    fn to_json(&self) -> Value {
        if !self.plain {
            return Value::String(self.text.clone());
        }
        if self.text.is_empty() {
            return Value::Null;
        }
        match saphyr::Scalar::parse_from_cow(Cow::Borrowed(self.text.as_str())) {
            saphyr::Scalar::Null => Value::Null,
            saphyr::Scalar::Boolean(value) => Value::Bool(value),
            saphyr::Scalar::Integer(value) => Value::Number(value.into()),
            saphyr::Scalar::FloatingPoint(value) => {
                Number::from_f64(value.into_inner()).map_or_else(|| Value::String(self.text.clone()), Value::Number)
            }
            saphyr::Scalar::String(text) => Value::String(text.into_owned()),
        }
    }
}

/// Why a text is not a document that can be used.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) at: Span,
}

/// Reads the one document of a file.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        offsets: text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect(),
        anchors: HashMap::new(),
        nodes: 0,
    };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd, at) => return Err(SyntaxError { message: "the file is empty".to_owned(), at }),
            (event, at) => {
                let node = reader.node(event, at, 0)?;
                return reader.end(node);
            }
        }
    }
}

/// Deeper than any template, and shallow enough for the stack.
const MAX_DEPTH: usize = 100;

/// More than any template; a few lines of nested aliases could otherwise fill the memory.
const MAX_NODES: usize = 200_000;

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    /// The byte offset of each character: the parser counts characters.
    offsets: Vec<usize>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), SyntaxError> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, self.span(span))),
            Some(Err(error)) => {
                let at = self.offset(*error.marker());
                Err(SyntaxError { message: error.info().to_owned(), at: Span { start: at, end: at + 1 } })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn span(&self, span: YamlSpan) -> Span {
        Span { start: self.offset(span.start), end: self.offset(span.end) }
    }

    fn offset(&self, marker: Marker) -> usize {
        self.offsets.get(marker.index()).or(self.offsets.last()).copied().unwrap_or_default()
    }

    /// A file has one document; what follows would be ignored.
    fn end(&mut self, node: Node) -> Result<Node, SyntaxError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(node),
                (Event::DocumentStart(_), at) => {
                    return Err(SyntaxError { message: "the file has a second document".to_owned(), at });
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'t>, at: Span, depth: usize) -> Result<Node, SyntaxError> {
        if depth > MAX_DEPTH {
            return Err(SyntaxError { message: format!("the values are nested deeper than {MAX_DEPTH}"), at });
        }
        self.count(1, at)?;
        let (data, end, anchor, tag) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain
                    && !tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                (Data::Scalar(Scalar { text: text.into_owned(), plain }), at.end, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => {
                let (items, end) = self.list(depth)?;
                (Data::List(items), end, anchor, tag)
            }
            Event::MappingStart(anchor, tag) => {
                let (map, end) = self.map(depth)?;
                (Data::Map(map), end, anchor, tag)
            }
            _ => return Err(SyntaxError { message: "a value is missing".to_owned(), at }),
        };
        let at = Span { start: at.start, end };
        let node = tagged(Node { at, data }, tag.as_deref())?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, more: usize, at: Span) -> Result<(), SyntaxError> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return Err(SyntaxError { message: format!("the file has more than {MAX_NODES} values"), at });
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<Node, SyntaxError> {
        let node = self.anchors.get(&anchor).cloned();
        let node =
            node.ok_or_else(|| SyntaxError { message: "the alias is used inside its own anchor".to_owned(), at })?;
        self.count(size(&node), at)?;
        Ok(node)
    }

    /// The items of a list, and where it ends.
    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize), SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, at) => return Ok((items, at.end)),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    /// The fields of a map, and where it ends.
    fn map(&mut self, depth: usize) -> Result<(Map, usize), SyntaxError> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        let end = loop {
            let (event, key_at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break key_at.end;
            }
            let key = self.node(event, key_at, depth + 1)?;
            let Data::Scalar(name) = key.data else {
                return Err(SyntaxError { message: "a key must be a text".to_owned(), at: key_at });
            };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            if name.plain && name.text == "<<" {
                merged.extend(merge_sources(value)?);
            } else if map.contains_key(&name.text) {
                return Err(SyntaxError { message: format!("the key `{}` is there twice", name.text), at: key_at });
            } else {
                map.insert(name.text, Field { key: key_at, value });
            }
        };
        for (name, field) in merged {
            map.entry(name).or_insert(field);
        }
        Ok((map, end))
    }
}

/// The fields that `<<` brings: those of a map, or of each map of a list. What the map itself says comes first.
fn merge_sources(value: Node) -> Result<Vec<(String, Field)>, SyntaxError> {
    let at = value.at;
    match value.data {
        Data::Map(map) => Ok(map.into_iter().collect()),
        Data::List(items) => items
            .into_iter()
            .map(merge_sources)
            .collect::<Result<Vec<_>, _>>()
            .map(|maps| maps.into_iter().flatten().collect()),
        Data::Scalar(_) => Err(SyntaxError { message: "`<<` takes a map, or a list of maps".to_owned(), at }),
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.data {
        Data::Scalar(_) => 0,
        Data::List(items) => items.iter().map(size).sum(),
        Data::Map(map) => map.values().map(|field| size(&field.value)).sum(),
    }
}

/// CloudFormation's functions that have a tag, but for `Ref` and `Condition`, whose long form has no `Fn::`.
const TAGS: [&str; 17] = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
];

fn tagged(node: Node, tag: Option<&Tag>) -> Result<Node, SyntaxError> {
    let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) else {
        return Ok(node);
    };
    let at = node.at;
    let name = match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        suffix if TAGS.contains(&suffix) || suffix == "Transform" => format!("Fn::{suffix}"),
        _ => return Err(SyntaxError { message: format!("CloudFormation has no function `{tag}`"), at }),
    };
    // What the function takes is text where it is no list or map: `!Ref 1` names a resource.
    let value = match node.data {
        Data::Scalar(scalar) => Node::text(at, scalar.text),
        data => Node { at, data },
    };
    Ok(Node { at, data: Data::Map(Map::from([(name, Field { key: at, value })])) })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::*;

    fn json_of(text: &str) -> Value {
        parse(text).unwrap().to_json()
    }

    #[test]
    fn tags_become_the_long_form() {
        assert_eq!(json_of("a: !Ref B"), json!({"a": {"Ref": "B"}}));
        assert_eq!(json_of("a: !GetAtt B.Arn"), json!({"a": {"Fn::GetAtt": "B.Arn"}}));
        assert_eq!(json_of("!If [C, !Ref B, 1]"), json!({"Fn::If": ["C", {"Ref": "B"}, 1]}));
    }

    #[test]
    fn a_tag_survives_an_anchor() {
        assert_eq!(
            json_of("a: &x !If [C, 1, 2]\nb: *x"),
            json!({"a": {"Fn::If": ["C", 1, 2]}, "b": {"Fn::If": ["C", 1, 2]}})
        );
    }

    #[test]
    fn merge_keys_give_way_to_own_keys_and_to_earlier_maps() {
        let text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nall:\n  <<: [*one, *two]\n  a: 0\n";
        assert_eq!(json_of(text)["all"], json!({"a": 0, "b": 1, "c": 2}));
    }

    #[test]
    fn plain_scalars_are_typed_and_quoted_ones_are_not() {
        assert_eq!(json_of("[1, 1.5, true, null, x, \"1\", '', ]"), json!([1, 1.5, true, null, "x", "1", ""]));
        assert_eq!(json_of("a: !!str 1\nb:\n"), json!({"a": "1", "b": null}));
    }

    #[test]
    fn positions_are_bytes() {
        let text = "ä: x\nb: !Sub hello\n";
        let node = parse(text).unwrap();
        let value = node.get("b").and_then(|sub| sub.get("Fn::Sub")).unwrap();
        assert!(text[value.at.start..value.at.end].contains("hello"), "{:?}", value.at);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (text, message) in [
            ("", "the file is empty"),
            ("a: 1\na: 2", "twice"),
            ("a: 1\n\"a\": 2", "twice"),
            ("a: 1\n---\nb: 2", "second document"),
            ("a: !Nope 1", "no function `!Nope`"),
            ("? [a]\n: 1", "a key must be a text"),
            ("<<: 1", "`<<` takes a map"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {}", error.message);
        }
    }

    #[test]
    fn nested_aliases_do_not_fill_the_memory() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let alias = format!("*a{}, ", level - 1).repeat(10);
            writeln!(text, "a{level}: &a{level} [{alias}]").unwrap();
        }
        assert!(parse(&text).unwrap_err().message.contains("more than"));
    }
}
