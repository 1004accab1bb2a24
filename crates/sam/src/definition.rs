//! A state machine's definition: where it is, and what is put in place of `${Name}`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    json,
    problem::{Problem, ProblemKind},
    properties::Properties,
    source::{Source, Span},
    template::Reported,
    yaml::{self, Data, Node},
};

/// The definition after its substitutions, and the file that it is in. Where there is none, the properties that are
/// `required` are told.
pub(crate) fn read(properties: &Properties, id: &str, required: &'static str) -> Result<(Value, PathBuf), Reported> {
    let substitutions = properties.texts("DefinitionSubstitutions");
    let template_file = || properties.template.source.path.to_path_buf();
    if let Some(node) = properties.raw("Definition") {
        let value = properties.value("Definition")?.ok_or_else(|| properties.missing("Definition"))?;
        let text = value.to_json().to_string();
        let text = in_template(properties, id, node, &text, &substitutions);
        return parse_json(properties, "Definition", &text).map(|value| (value, template_file()));
    }
    if let Some(node) = properties.raw("DefinitionString") {
        let text = properties.text("DefinitionString").ok_or(Reported)?;
        let text = in_template(properties, id, node, &text, &substitutions);
        return parse_json(properties, "DefinitionString", &text).map(|value| (value, template_file()));
    }
    let uri = ["DefinitionUri", "DefinitionS3Location"].into_iter().find(|name| properties.has(name));
    let Some(uri) = uri else {
        return Err(properties.missing(required));
    };
    if properties.raw(uri).is_some_and(|node| node.as_text().is_none()) {
        let reason = "the runner reads definitions from files beside the template";
        return Err(properties.refuse_described(uri, "a place in S3", reason));
    }
    let path = properties.template.folder().join(properties.text(uri).ok_or(Reported)?);
    from_file(properties, uri, id, &path, &substitutions).map(|value| (value, path))
}

fn from_file(
    properties: &Properties,
    uri: &str,
    id: &str,
    path: &Path,
    substitutions: &BTreeMap<String, String>,
) -> Result<Value, Reported> {
    let (template, at) = (properties.template, properties.at(uri));
    let source = read_file(path).map_err(|kind| template.report(kind, at))?;
    let (parsed, missing) = substitute_in_file(&source, substitutions);
    for (name, span) in missing.into_iter().filter(|(name, _)| is_unmentioned(properties, name)) {
        let kind = ProblemKind::MissingSubstitution { name, machine: id.to_owned() };
        template.report_at(kind, Some(source.location(span)), at);
    }
    parsed.map_err(|problem| template.report_at(problem.kind, problem.location, at))
}

/// A definition without its template: each `${Name}` is kept as it is.
pub(crate) fn alone(path: &Path) -> Result<Value, Box<Problem>> {
    let source = read_file(path).map_err(|kind| Problem { kind, location: None })?;
    substitute_in_file(&source, &BTreeMap::new()).0
}

/// What a definition needs a template for: each `${Name}` in it.
pub(crate) fn without_template(path: &Path) -> Vec<Problem> {
    let Ok(source) = read_file(path) else { return Vec::new() };
    let (_, missing) = substitute_in_file(&source, &BTreeMap::new());
    let problem =
        |(name, span)| Problem { kind: ProblemKind::NoTemplate { name }, location: Some(source.location(span)) };
    missing.into_iter().map(problem).collect()
}

/// Whether these are the fields of a definition, and of no template.
pub(crate) fn is_one(root: &Node) -> bool {
    let has = |name| root.get(name).is_some();
    has("StartAt") && has("States") && !has("Resources")
}

fn read_file(path: &Path) -> Result<Source, ProblemKind> {
    let text = fs::read_to_string(path);
    let text =
        text.map_err(|error| ProblemKind::UnreadableFile { path: path.to_owned(), reason: error.to_string() })?;
    Ok(Source::new(path, text))
}

/// The definition of a file after its substitutions, and the names that have no value, with their places.
fn substitute_in_file(
    source: &Source,
    substitutions: &BTreeMap<String, String>,
) -> (Result<Value, Box<Problem>>, Missing) {
    let is_yaml = source.path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let (substituted, missing) =
        substitute(&source.text, substitutions, if is_yaml { Keep::Bare } else { Keep::Quoted });
    let parsed = if is_yaml {
        yaml::parse(&substituted.text).map(|node| node.to_json()).map_err(|error| (error.message, error.at.start))
    } else {
        json::parse(&substituted.text).map_err(|error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            (message, offset_of(&substituted.text, error.line(), error.column()))
        })
    };
    let parsed = parsed.map_err(|(message, offset)| {
        let start = substituted.original(offset);
        let location = source.location(Span { start, end: start + 1 });
        Box::new(Problem { kind: ProblemKind::Syntax { message }, location: Some(location) })
    });
    (parsed, missing)
}

/// Substitutes in a definition that stands in the template.
fn in_template(
    properties: &Properties,
    id: &str,
    node: &Node,
    text: &str,
    substitutions: &BTreeMap<String, String>,
) -> String {
    let (substituted, missing) = substitute(text, substitutions, Keep::Quoted);
    for (name, _) in missing.into_iter().filter(|(name, _)| is_unmentioned(properties, name)) {
        let at = find_text(node, &format!("${{{name}}}")).unwrap_or(node.at);
        properties.template.report(ProblemKind::MissingSubstitution { name, machine: id.to_owned() }, at);
    }
    substituted.text
}

/// Whether the template says nothing of a name. Where it does, what is wrong with the value is told there.
fn is_unmentioned(properties: &Properties, name: &str) -> bool {
    properties.raw("DefinitionSubstitutions").is_none_or(|substitutions| substitutions.get(name).is_none())
}

fn parse_json(properties: &Properties, property: &str, text: &str) -> Result<Value, Reported> {
    json::parse(text).map_err(|error| {
        let kind = ProblemKind::Syntax { message: format!("the definition is no JSON: {error}") };
        properties.template.report(kind, properties.at(property))
    })
}

/// The first scalar with `text` in it.
fn find_text(node: &Node, text: &str) -> Option<Span> {
    match &node.data {
        Data::Scalar(scalar) => scalar.text.contains(text).then_some(node.at),
        Data::List(items) => items.iter().find_map(|item| find_text(item, text)),
        Data::Map(map) => map
            .iter()
            .find_map(|(key, field)| if key.contains(text) { Some(field.key) } else { find_text(&field.value, text) }),
    }
}

/// The byte offset of a line and a column, both from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start + column.saturating_sub(1)
}

/// The names without a value, with their places.
type Missing = Vec<(String, Span)>;

/// A text after its substitutions, which knows where its parts come from.
struct Substituted {
    text: String,
    /// For each substitution: where it ends in the new text, and in the original.
    ends: Vec<(usize, usize)>,
}

impl Substituted {
    /// The offset in the original of an offset in the new text; inside a value it is the end of its `${Name}`.
    fn original(&self, offset: usize) -> usize {
        match self.ends.iter().rev().find(|(end, _)| *end <= offset) {
            Some((end, original_end)) => original_end + (offset - end),
            None => offset,
        }
    }
}

/// The text with zeros in place of each `${Name}`, as many as it is long: a `${Name}` that stands for a number leaves no
/// JSON and no YAML before it is substituted, and with zeros everything is where it was.
pub(crate) fn blanked(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for part in placeholders(text) {
        match part {
            Part::Text(text) => result.push_str(text),
            Part::Name(_, span) => result.extend(std::iter::repeat_n('0', span.end - span.start)),
        }
    }
    result
}

/// How a `${Name}` without a value is kept, so that the rest of the definition can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// As it is, which is a text in YAML.
    Bare,
    /// As a JSON text, with quotes where it has none around it.
    Quoted,
}

/// Puts the values in place of `${Name}`, as CloudFormation does: text for text, with no regard to JSON. All names that
/// have no value are kept, and returned with their places.
fn substitute(text: &str, values: &BTreeMap<String, String>, keep: Keep) -> (Substituted, Missing) {
    let mut result = Substituted { text: String::with_capacity(text.len()), ends: Vec::new() };
    let mut missing = Vec::new();
    let mut is_inside = false;
    for part in placeholders(text) {
        match part {
            Part::Text(text) => {
                result.text.push_str(text);
                is_inside = ends_inside_a_text(text, is_inside);
            }
            Part::Name(name, span) => {
                match values.get(name) {
                    Some(value) => result.text.push_str(value),
                    None => {
                        let quote = if keep == Keep::Quoted && !is_inside { "\"" } else { "" };
                        result.text.extend([quote, "${", name, "}", quote]);
                        missing.push((name.to_owned(), span));
                    }
                }
                result.ends.push((result.text.len(), span.end));
            }
        }
    }
    (result, missing)
}

/// Whether a piece of JSON ends between the quotes of a text, where its beginning `is_inside` of one or not.
fn ends_inside_a_text(json: &str, is_inside: bool) -> bool {
    let mut is_escaped = false;
    json.bytes().fold(is_inside, |is_inside, byte| {
        let was_escaped = is_escaped;
        is_escaped = is_inside && byte == b'\\' && !was_escaped;
        is_inside != (byte == b'"' && !was_escaped)
    })
}

enum Part<'t> {
    Text(&'t str),
    /// The name in `${Name}`, and where the whole is.
    Name(&'t str, Span),
}

/// The parts of a definition's text. Braces around anything but letters, digits and `_` are text.
fn placeholders(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut from, mut position) = (0, 0);
    while let Some(start) = text[position..].find("${").map(|start| position + start) {
        let name = text[start + 2..].split_once('}').map_or("", |(name, _)| name);
        position = start + 2;
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            position += name.len() + 1;
            parts.push(Part::Text(&text[from..start]));
            parts.push(Part::Name(name, Span { start, end: position }));
            from = position;
        }
    }
    parts.push(Part::Text(&text[from..]));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitution_is_text_for_text() {
        let values = BTreeMap::from([("A".to_owned(), "1, 2".to_owned()), ("B_1".to_owned(), "x".to_owned())]);
        let text = |text, keep| {
            let (substituted, missing) = substitute(text, &values, keep);
            (substituted.text, missing.len())
        };
        assert_eq!(text("[${A}] ${B_1}${B_1}", Keep::Quoted), ("[1, 2] xx".to_owned(), 0));
        let other = "{% $x & '${ not a name }' %} ${";
        assert_eq!(text(other, Keep::Quoted), (other.to_owned(), 0));
        assert_eq!(text("${C} ${A} ${D}", Keep::Bare), ("${C} 1, 2 ${D}".to_owned(), 2));
        let (kept, missing) = text(r#"{"a": ${C}, "b\"\\": "x ${D}"}"#, Keep::Quoted);
        assert_eq!((kept.as_str(), missing), (r#"{"a": "${C}", "b\"\\": "x ${D}"}"#, 2));
    }

    #[test]
    fn blanking_moves_nothing() {
        assert_eq!(blanked("{\"a\": ${Num}, \"b\": \"x ${T}\"}"), "{\"a\": 000000, \"b\": \"x 0000\"}");
        assert_eq!(blanked("${ not }"), "${ not }");
    }

    #[test]
    fn an_offset_leads_back_to_the_original() {
        let values = BTreeMap::from([("A".to_owned(), "longer than its name".to_owned())]);
        let (substituted, _) = substitute("{${A}} x", &values, Keep::Quoted);
        assert_eq!(substituted.original(substituted.text.find('x').unwrap()), 7);
        assert_eq!(substituted.original(0), 0);
    }
}
