//! Checks that every name in a template is the name of something, wherever it stands: a policy that the runner leaves out
//! is deployed all the same.

use crate::{
    intrinsics::{SubPart, function_of, sub_parts},
    source::Span,
    template::Template,
    yaml::{Data, Map, Node},
};

/// Notes every `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If`, `Condition` and `DependsOn` that names nothing.
pub(crate) fn check(template: &Template) {
    for section in ["Globals", "Resources", "Outputs", "Conditions"] {
        if let Some(node) = template.root.get(section) {
            walk(template, node);
        }
    }
    for section in ["Resources", "Outputs"] {
        let entries = template.root.get(section).and_then(Node::as_map);
        for entry in entries.into_iter().flat_map(Map::values) {
            if let Some((name, at)) = entry.value.get("Condition").and_then(|node| Some((node.as_text()?, node.at))) {
                check_condition(template, name, at);
            }
            check_depends_on(template, entry.value.get("DependsOn"));
        }
    }
}

/// Whether a parameter is there for the template's `Rules` alone, which CloudFormation checks and the runner leaves out.
pub(crate) fn is_for_rules(root: &Node, parameter: &str) -> bool {
    fn is_in(node: &Node, parameter: &str) -> bool {
        match &node.data {
            Data::Scalar(_) => false,
            Data::List(items) => items.iter().any(|item| is_in(item, parameter)),
            Data::Map(map) => match function_of(map) {
                Some(("Ref", argument)) => argument.as_text() == Some(parameter),
                Some(("Fn::Sub", argument)) => {
                    let text = argument.as_text().or_else(|| argument.as_list()?.first()?.as_text());
                    let names = |part| matches!(part, SubPart::Name(name) if name == parameter);
                    sub_parts(text.unwrap_or_default()).into_iter().any(names)
                        || argument.as_list().is_some_and(|items| items.iter().any(|item| is_in(item, parameter)))
                }
                Some((_, argument)) => is_in(argument, parameter),
                None => map.values().any(|field| is_in(&field.value, parameter)),
            },
        }
    }
    let asks = |section: &str| root.get(section).is_some_and(|section| is_in(section, parameter));
    asks("Rules") && !["Globals", "Resources", "Outputs", "Conditions"].into_iter().any(asks)
}

fn check_depends_on(template: &Template, node: Option<&Node>) {
    let Some(node) = node else {
        return;
    };
    for item in node.as_list().unwrap_or(std::slice::from_ref(node)) {
        if let Some(name) = item.as_text().filter(|name| !template.is_resource(name)) {
            template.report_unknown("resource", name, template.resources.keys().map(String::as_str), item.at);
        }
    }
}

fn walk(template: &Template, node: &Node) {
    match &node.data {
        Data::Scalar(_) => {}
        Data::List(items) => items.iter().for_each(|item| walk(template, item)),
        Data::Map(map) => match function_of(map) {
            Some((name, argument)) => check_call(template, name, argument, node.at),
            None => map.values().for_each(|field| walk(template, &field.value)),
        },
    }
}

fn check_call(template: &Template, name: &str, argument: &Node, at: Span) {
    match (name, &argument.data) {
        ("Ref", Data::Scalar(name)) => check_name(template, &name.text, at),
        // The attribute may be a function itself, and is looked at where the value is needed.
        ("Fn::GetAtt", _) => {
            let resource = argument.as_text().and_then(|text| text.split_once('.')).map(|(resource, _)| resource);
            let resource = resource.or_else(|| argument.as_list()?.first()?.as_text());
            if let Some(name) = resource.filter(|name| !template.is_resource(name)) {
                template.report_unknown("resource", name, template.resources.keys().map(String::as_str), at);
            }
        }
        ("Fn::Sub", Data::Scalar(text)) => check_sub(template, &text.text, None, at),
        ("Fn::Sub", Data::List(items)) => {
            if let [text, variables] = items.as_slice() {
                check_sub(template, text.as_text().unwrap_or_default(), variables.as_map(), text.at);
                walk(template, variables);
            }
        }
        ("Fn::If", Data::List(items)) => {
            if let Some((name, at)) = items.first().and_then(|node| Some((node.as_text()?, node.at))) {
                check_condition(template, name, at);
            }
            items.iter().skip(1).for_each(|item| walk(template, item));
        }
        _ => walk(template, argument),
    }
}

fn check_sub(template: &Template, text: &str, variables: Option<&Map>, at: Span) {
    for part in sub_parts(text) {
        if let SubPart::Name(name) = part
            && !variables.is_some_and(|variables| variables.contains_key(name))
            && !template.is_name(name)
        {
            match name.split_once('.') {
                Some((resource, _)) if template.is_resource(resource) => {}
                Some((resource, _)) => {
                    template.report_unknown("resource", resource, template.resources.keys().map(String::as_str), at);
                }
                None => check_name(template, name, at),
            }
        }
    }
}

fn check_name(template: &Template, name: &str, at: Span) {
    if !template.is_name(name) {
        template.report_unknown("resource or parameter", name, template.known_names(), at);
    }
}

fn check_condition(template: &Template, name: &str, at: Span) {
    if !template.conditions.contains_key(name) {
        template.report_unknown("condition", name, template.conditions.keys().map(String::as_str), at);
    }
}
