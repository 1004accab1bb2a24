//! `variableReferences`: which variables the states of a definition read.

use asl::{Value, jsonata::Jsonata, value::Object};
use indexmap::IndexSet;

/// The variable that the service assigns.
const STATES: &str = "states";

/// The fields of a state that hold a graph of their own. Its states are told by their own names.
const GRAPHS: &[&str] = &["Branches", "ItemProcessor", "Iterator"];

/// The fields whose value is a template: in it, only names that end in `.$` have paths.
const TEMPLATES: &[&str] =
    &["Arguments", "Assign", "BatchInput", "Credentials", "ItemSelector", "Parameters", "ResultSelector"];

/// The names of variables by the names of the states that read them, without the `$`. A state that reads none is left out.
pub(super) fn references(definition: &Value) -> Object {
    let mut found = Object::new();
    graph(definition, Language::of(definition, Language::JsonPath), &mut found);
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    JsonPath,
    Jsonata,
}

impl Language {
    /// What a machine or a state says, or this.
    fn of(value: &Value, otherwise: Self) -> Self {
        match value.get("QueryLanguage").and_then(Value::as_str) {
            Some("JSONata") => Self::Jsonata,
            Some(_) => Self::JsonPath,
            None => otherwise,
        }
    }
}

fn graph(graph_value: &Value, language: Language, found: &mut Object) {
    let Some(Value::Object(states)) = graph_value.get("States") else { return };
    for (name, state) in states.iter() {
        let Value::Object(fields) = state else { continue };
        let mut names = IndexSet::new();
        match Language::of(state, language) {
            Language::JsonPath => paths(fields, false, &mut names),
            Language::Jsonata => {
                let own = fields.iter().filter(|(name, _)| !GRAPHS.contains(&&***name));
                own.for_each(|(_, value)| expressions(value, &mut names));
            }
        }
        if !names.is_empty() {
            found.insert(name.clone(), names.into_iter().map(Value::from).collect::<Vec<_>>().into());
        }
        let branches = state.get("Branches").and_then(Value::as_array);
        let processors = ["ItemProcessor", "Iterator"].iter().filter_map(|name| fields.get(*name));
        for inner in branches.into_iter().flat_map(|branches| branches.iter()).chain(processors) {
            graph(inner, language, found);
        }
    }
}

/// The variables in the paths and intrinsic functions of a state's fields, or of a template's.
fn paths(fields: &Object, in_template: bool, names: &mut IndexSet<String>) {
    for (name, value) in fields.iter().filter(|(name, _)| in_template || !GRAPHS.contains(&&***name)) {
        let is_path = name.ends_with(".$") || !in_template && (name.ends_with("Path") || &**name == "Variable");
        match value {
            Value::String(text) if is_path => in_path(text, names),
            // What a Pass state gives as it stands.
            _ if !in_template && &**name == "Result" => {}
            value => inner_paths(value, in_template || TEMPLATES.contains(&&**name), names),
        }
    }
}

fn inner_paths(value: &Value, in_template: bool, names: &mut IndexSet<String>) {
    match value {
        Value::Object(fields) => paths(fields, in_template, names),
        Value::Array(items) => items.iter().for_each(|item| inner_paths(item, in_template, names)),
        _ => {}
    }
}

/// The variables in a path or an intrinsic function: `$name`, but not in a text between quotes.
fn in_path(text: &str, names: &mut IndexSet<String>) {
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '\'' => quoted = !quoted,
            // The context object.
            '$' if !quoted && rest.peek() == Some(&'$') => drop(rest.next()),
            '$' if !quoted => {
                let mut name = String::new();
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                if !name.is_empty() {
                    names.insert(name);
                }
            }
            _ => {}
        }
    }
}

/// The variables in the expressions of a value.
fn expressions(value: &Value, names: &mut IndexSet<String>) {
    match value {
        Value::String(text) => {
            let source = text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
            let Some(Ok(expression)) = source.map(Jsonata::parse) else { return };
            let read = expression.references().iter().filter(|reference| reference.variable != STATES);
            names.extend(read.map(|reference| reference.variable.clone()));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, names)),
        Value::Object(fields) => fields.values().for_each(|value| expressions(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_that_states_read_are_told_by_their_names() {
        for (definition, expected) in [
            (
                r#"{"States":{"A":{"Type":"Pass","InputPath":"$x.a","Parameters":{"b.$":"$y","c":"$no","d":[{"e.$":
                    "States.Format('$no {} {}', $z[0], $.no)"}],"OtherPath":"$no","f.$":"$$.Execution.Id"},
                    "Assign":{"g.$":"$x"},"Result":{"h.$":"$no"}}}}"#,
                r#"{"A":["x","y","z"]}"#,
            ),
            (
                r#"{"States":{"C":{"Type":"Choice","Choices":[{"And":[{"Variable":"$a.b","NumericEqualsPath":"$c"}]}],
                    "Default":"$no"}}}"#,
                r#"{"C":["a","c"]}"#,
            ),
            (
                r#"{"States":{"M":{"Type":"Map","ItemsPath":"$list","ItemReader":{"ReaderConfig":{"MaxItemsPath":"$m"}},
                    "ItemProcessor":{"States":{"I":{"Type":"Wait","SecondsPath":"$s"}}}}}}"#,
                r#"{"M":["list","m"],"I":["s"]}"#,
            ),
            (
                r#"{"QueryLanguage":"JSONata","States":{"A":{"Type":"Pass","Output":{"a":["{% $x + $sum($y) %}"]},
                    "Comment":"$no"},"P":{"Type":"Parallel","Branches":[{"States":{"B":{"Type":"Fail",
                    "Cause":"{% $states.input & ($l := 1; $l) & $x %}"}}}]}}}"#,
                r#"{"A":["x","y"],"B":["x"]}"#,
            ),
            (r#"{"States":{"A":{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% $x %}"}}}"#, r#"{"A":["x"]}"#),
            (r#"{"States":{"A":{"Type":"Pass","Parameters":{"a.$":"$.b"}}}}"#, "{}"),
        ] {
            let found = Value::from(references(&Value::parse(definition).unwrap()));
            assert_eq!(found.to_string(), expected, "{definition}");
        }
    }
}
