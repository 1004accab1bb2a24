//! `Parameters`: defaults, given values, and the rules that both keep.

use indexmap::IndexMap;

use crate::{
    problem::ProblemKind,
    references,
    source::Span,
    suggest::closest,
    template::Template,
    yaml::{Data, Map, Node},
};

/// The value of each parameter; none where something is wrong with it, which was noted.
pub(crate) fn read(template: &Template, section: &Map) -> IndexMap<String, Option<Node>> {
    // What was meant has no other problem.
    let mut misspelt = Vec::new();
    for name in template.options.parameters.keys().filter(|name| !section.contains_key(*name)) {
        let suggestion = closest(name, section.keys().map(String::as_str));
        misspelt.extend(suggestion.clone());
        let known = section.keys().cloned().collect();
        // The caller gave it, so there is no place in the template.
        let kind = ProblemKind::UnknownParameter { name: name.clone(), suggestion, known };
        template.report_at(kind, None, Span::default());
    }
    let mut values = IndexMap::new();
    for (name, field) in section {
        let place = format!("Parameters/{name}");
        let Some(declaration) = template.map_or_nothing(&field.value, &place) else {
            values.insert(name.clone(), None);
            continue;
        };
        let given = template.options.parameters.get(name);
        let default = declaration.get("Default").and_then(|field| field.value.as_text());
        let is_in_account = text(declaration, "Type").is_some_and(|kind| kind.starts_with("AWS::SSM::"));
        // The default of an SSM parameter is its name in an account; its value must be given.
        let Some(value) = given.map(String::as_str).or(default.filter(|_| !is_in_account)) else {
            // The CDK has such a one: the version of what it has set up in an account.
            let is_needed = !is_in_account || !references::is_for_rules(&template.root, name);
            if is_needed && !misspelt.contains(name) {
                template.report(ProblemKind::MissingParameter { name: name.clone() }, field.key);
            }
            values.insert(name.clone(), None);
            continue;
        };
        let at = declaration.get("Default").filter(|_| given.is_none()).map_or(field.key, |default| default.value.at);
        let is_list =
            text(declaration, "Type").is_some_and(|kind| kind == "CommaDelimitedList" || kind.contains("List<"));
        let items: Vec<&str> = if is_list { value.split(',').map(str::trim).collect() } else { vec![value] };
        // One rule that is broken is enough to know.
        if let Some(reason) = items.iter().find_map(|item| broken_rule(declaration, item)) {
            template.report(ProblemKind::ParameterValue { name: name.clone(), value: value.to_owned(), reason }, at);
            values.insert(name.clone(), None);
            continue;
        }
        let node = if is_list {
            Node { at, data: Data::List(items.into_iter().map(|item| Node::text(at, item)).collect()) }
        } else {
            Node::text(at, value)
        };
        if declaration.contains_key("AllowedPattern") {
            template.leave_out(
                format!("{place}/AllowedPattern"),
                "AllowedPattern",
                "The pattern is checked when a stack is deployed.",
            );
        }
        values.insert(name.clone(), Some(node));
    }
    values
}

fn text<'d>(declaration: &'d Map, key: &str) -> Option<&'d str> {
    declaration.get(key).and_then(|field| field.value.as_text())
}

/// The rule that a value breaks, in words.
fn broken_rule(declaration: &Map, value: &str) -> Option<String> {
    if let Some(allowed) = declaration.get("AllowedValues").and_then(|field| field.value.as_list()) {
        let allowed: Vec<&str> = allowed.iter().filter_map(Node::as_text).collect();
        if !allowed.contains(&value) {
            return Some(format!("it must be one of {}", allowed.join(", ")));
        }
    }
    let limit = |key| text(declaration, key).and_then(|limit| limit.parse::<f64>().ok());
    if text(declaration, "Type") == Some("Number") || text(declaration, "Type") == Some("List<Number>") {
        let Ok(number) = value.parse::<f64>() else {
            return Some("it must be a number".to_owned());
        };
        return outside(number, limit("MinValue"), limit("MaxValue"), "it must be");
    }
    #[expect(clippy::cast_precision_loss, reason = "a text's length is far below 2^52")]
    let length = value.chars().count() as f64;
    outside(length, limit("MinLength"), limit("MaxLength"), "its length must be")
}

fn outside(value: f64, min: Option<f64>, max: Option<f64>, must: &str) -> Option<String> {
    if let Some(min) = min.filter(|min| value < *min) {
        return Some(format!("{must} {min} or more"));
    }
    max.filter(|max| value > *max).map(|max| format!("{must} {max} or less"))
}
