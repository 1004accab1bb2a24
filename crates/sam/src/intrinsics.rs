//! The intrinsic functions of values.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    problem::ProblemKind,
    properties::Properties,
    resources::parameter::secret_value,
    source::Span,
    template::{Reported, Resource, Template},
    yaml::{Data, Field, Map, Node},
};

/// A value with no functions in it; none where it is `AWS::NoValue`.
pub(crate) type Resolved = Result<Option<Node>, Reported>;

impl Template {
    /// Replaces every intrinsic function in a value by its result.
    pub(crate) fn resolve(&self, node: &Node) -> Resolved {
        match &node.data {
            Data::Scalar(scalar) => {
                if dynamic_reference(&scalar.text).is_none() {
                    return Ok(Some(node.clone()));
                }
                self.with_dynamic_values(&scalar.text, node.at).map(|text| Some(Node::text(node.at, text)))
            }
            Data::List(items) => {
                let resolved: Vec<_> = items.iter().map(|item| self.resolve(item)).collect();
                let items = resolved.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
                Ok(Some(Node { at: node.at, data: Data::List(items) }))
            }
            Data::Map(map) => match function_of(map) {
                Some((name, argument)) => self.call(name, argument, node.at),
                None => self.resolve_fields(map).map(|map| Some(Node { at: node.at, data: Data::Map(map) })),
            },
        }
    }

    fn resolve_fields(&self, map: &Map) -> Result<Map, Reported> {
        let resolved: Vec<_> = map.iter().map(|(name, field)| (name, field.key, self.resolve(&field.value))).collect();
        let mut fields = Map::with_capacity(map.len());
        for (name, key, value) in resolved {
            if let Some(value) = value? {
                fields.insert(name.clone(), Field { key, value });
            }
        }
        Ok(fields)
    }

    /// Resolves a value that must be a text.
    pub(crate) fn resolve_text(&self, node: &Node, function: &str, expected: &'static str) -> Result<String, Reported> {
        match self.resolve(node)?.as_ref().and_then(Node::as_text) {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.bad_arguments(function, expected, node.at)),
        }
    }

    pub(crate) fn bad_arguments(&self, function: &str, expected: &'static str, at: Span) -> Reported {
        self.report(ProblemKind::FunctionArguments { function: function.to_owned(), expected }, at)
    }

    /// Runs `resolve` while `key` counts as being resolved.
    pub(crate) fn guarded<T>(
        &self,
        key: &str,
        name: &str,
        at: Span,
        resolve: impl FnOnce() -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        if self.resolving.borrow().iter().any(|other| other == key) {
            return Err(self.report(ProblemKind::CircularReference { name: name.to_owned() }, at));
        }
        self.resolving.borrow_mut().push(key.to_owned());
        let result = resolve();
        self.resolving.borrow_mut().pop();
        result
    }

    fn call(&self, name: &str, argument: &Node, at: Span) -> Resolved {
        match name {
            "Ref" => match argument.as_text() {
                Some(name) => self.reference(name, at),
                None => Err(self.bad_arguments(name, "the name of a parameter or a resource", argument.at)),
            },
            "Fn::GetAtt" => {
                let (resource, attribute) = self.attribute_names(argument)?;
                self.attribute(&resource, &attribute, at).map(|value| Some(Node::text(at, value)))
            }
            "Fn::Sub" => self.substitute(argument).map(|text| Some(Node::text(at, text))),
            "Fn::If" => match argument.as_list() {
                Some([condition, yes, no]) => {
                    let name = condition.as_text().ok_or_else(|| {
                        self.bad_arguments(name, "the name of a condition and two values", condition.at)
                    })?;
                    self.resolve(if self.condition(name, condition.at)? { yes } else { no })
                }
                _ => Err(self.bad_arguments(name, "the name of a condition and two values", argument.at)),
            },
            "Fn::Join" => self.join(argument).map(|text| Some(Node::text(at, text))),
            "Fn::Split" => self.split(argument, at).map(Some),
            "Fn::Select" => self.select(argument).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::Base64" => {
                self.resolve_text(argument, name, "a text").map(|text| Some(Node::text(at, STANDARD.encode(text))))
            }
            "Fn::ToJsonString" => Ok(self.resolve(argument)?.map(|value| Node::text(at, value.to_json().to_string()))),
            "Fn::Length" => match self.resolve(argument)?.as_ref().and_then(Node::as_list) {
                Some(items) => Ok(Some(Node::text(at, items.len().to_string()))),
                None => Err(self.bad_arguments(name, "a list", argument.at)),
            },
            _ => {
                let reason = match name {
                    "Fn::ImportValue" => "the value is another stack's",
                    "Fn::GetAZs" | "Fn::Cidr" => "the runner has no network of its own",
                    "Fn::Transform" => "macros run in an account",
                    "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => "it stands under `Conditions` only",
                    _ => "the runner does not know it",
                };
                Err(self.report(ProblemKind::UnsupportedFunction { function: name.to_owned(), reason }, at))
            }
        }
    }

    /// `A.B` or `[A, B]`.
    pub(crate) fn attribute_names(&self, argument: &Node) -> Result<(String, String), Reported> {
        let expected = "a resource and its attribute";
        match &argument.data {
            Data::Scalar(scalar) => match scalar.text.split_once('.') {
                // `Function.Version.Version`: an attribute of what SAM publishes.
                Some((resource, attribute)) => Ok(match attribute.split_once('.') {
                    Some((published, attribute)) if self.is_resource(&format!("{resource}.{published}")) => {
                        (format!("{resource}.{published}"), attribute.to_owned())
                    }
                    _ => (resource.to_owned(), attribute.to_owned()),
                }),
                None => Err(self.bad_arguments("Fn::GetAtt", expected, argument.at)),
            },
            Data::List(items) => match (items.first().and_then(Node::as_text), items.get(1)) {
                (Some(resource), Some(attribute)) if items.len() == 2 => {
                    Ok((resource.to_owned(), self.resolve_text(attribute, "Fn::GetAtt", expected)?))
                }
                _ => Err(self.bad_arguments("Fn::GetAtt", expected, argument.at)),
            },
            Data::Map(_) => Err(self.bad_arguments("Fn::GetAtt", expected, argument.at)),
        }
    }

    fn substitute(&self, argument: &Node) -> Result<String, Reported> {
        let expected = "a text, or a list of a text and a map";
        let none = Map::new();
        let (template, variables) = match &argument.data {
            Data::Scalar(_) => (argument, &none),
            Data::List(items) => match items.as_slice() {
                [template, variables] => {
                    (template, variables.as_map().ok_or_else(|| self.bad_arguments("Fn::Sub", expected, variables.at))?)
                }
                _ => return Err(self.bad_arguments("Fn::Sub", expected, argument.at)),
            },
            Data::Map(_) => return Err(self.bad_arguments("Fn::Sub", expected, argument.at)),
        };
        let text = template.as_text().ok_or_else(|| self.bad_arguments("Fn::Sub", expected, template.at))?;
        let mut result = String::with_capacity(text.len());
        for part in sub_parts(text) {
            match part {
                SubPart::Text(text) => result.push_str(text),
                SubPart::Name(name) => result.push_str(&self.sub_variable(name, variables, template.at)?),
            }
        }
        self.with_dynamic_values(&result, template.at)
    }

    /// A text whose `{{resolve:…}}` references are replaced by the values of parameters and secrets of the template.
    fn with_dynamic_values(&self, text: &str, at: Span) -> Result<String, Reported> {
        let mut text = text.to_owned();
        while let Some(reference) = dynamic_reference(&text).map(str::to_owned) {
            let value = self.guarded(&reference, &reference, at, || Ok(self.dynamic_value(&reference)))?;
            let unknown = ProblemKind::DynamicReference { reference: reference.clone() };
            text = text.replacen(&reference, &value.ok_or_else(|| self.report(unknown, at))?, 1);
        }
        Ok(text)
    }

    /// `{{resolve:ssm:<name>:<version>}}` or `{{resolve:secretsmanager:<id>:SecretString:<key>}}`.
    fn dynamic_value(&self, reference: &str) -> Option<String> {
        let inner = reference.strip_prefix("{{resolve:")?.strip_suffix("}}")?;
        let (service, rest) = inner.split_once(':')?;
        match service {
            "ssm" | "ssm-secure" => {
                let name = rest.split(':').next()?;
                let (id, resource) = self.named("AWS::SSM::Parameter", name)?;
                Properties::of(self, id, resource).text("Value")
            }
            "secretsmanager" => {
                // An ARN has seven parts.
                let parts = if rest.starts_with("arn:") { 7 } else { 1 };
                let end = rest.match_indices(':').nth(parts - 1).map_or(rest.len(), |(at, _)| at);
                let (id, after) = rest.split_at(end);
                let (secret, resource) = self.named("AWS::SecretsManager::Secret", id)?;
                let value = secret_value(&Properties::of(self, secret, resource), secret)?;
                match after.split(':').nth(2).filter(|key| !key.is_empty()) {
                    None => Some(value),
                    Some(key) => {
                        let fields: serde_json::Value = serde_json::from_str(&value).ok()?;
                        let field = fields.get(key)?;
                        Some(field.as_str().map_or_else(|| field.to_string(), str::to_owned))
                    }
                }
            }
            _ => None,
        }
    }

    /// The resource of a type that has this name or ARN.
    fn named(&self, kind: &str, name: &str) -> Option<(&str, &Resource)> {
        self.present().filter(|(_, resource)| resource.kind == kind).find(|(id, resource)| {
            let is = |value: Result<String, Reported>| value.is_ok_and(|value| value == name);
            self.quietly(|| {
                is(self.physical_name(id, resource, resource.at)) || is(self.attribute(id, "Id", resource.at))
            })
        })
    }

    fn sub_variable(&self, name: &str, variables: &Map, at: Span) -> Result<String, Reported> {
        let value = match (variables.get(name), name.split_once('.')) {
            (Some(field), _) => self.resolve(&field.value)?,
            // What SAM publishes is named with a point too.
            (None, Some((resource, attribute))) if !self.is_resource(name) => {
                return self.attribute(resource, attribute, at);
            }
            (None, _) => self.reference(name, at)?,
        };
        match value.as_ref().and_then(Node::as_text) {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.bad_arguments("Fn::Sub", "variables whose values are texts", at)),
        }
    }

    fn join(&self, argument: &Node) -> Result<String, Reported> {
        let expected = "a delimiter and a list of texts";
        let Some([delimiter, list]) = argument.as_list() else {
            return Err(self.bad_arguments("Fn::Join", expected, argument.at));
        };
        // An empty delimiter is a text too.
        let delimiter = match &delimiter.data {
            Data::Scalar(scalar) => scalar.text.clone(),
            _ => self.resolve_text(delimiter, "Fn::Join", expected)?,
        };
        let list_node = self.resolve(list)?;
        let items = list_node
            .as_ref()
            .and_then(Node::as_list)
            .ok_or_else(|| self.bad_arguments("Fn::Join", expected, list.at))?;
        let texts: Option<Vec<&str>> = items.iter().map(Node::as_text).collect();
        Ok(texts.ok_or_else(|| self.bad_arguments("Fn::Join", expected, list.at))?.join(&delimiter))
    }

    fn split(&self, argument: &Node, at: Span) -> Result<Node, Reported> {
        let expected = "a delimiter and a text";
        let Some([delimiter, text]) = argument.as_list() else {
            return Err(self.bad_arguments("Fn::Split", expected, argument.at));
        };
        let delimiter = self.resolve_text(delimiter, "Fn::Split", expected)?;
        let text = self.resolve_text(text, "Fn::Split", expected)?;
        Ok(Node { at, data: Data::List(text.split(&delimiter).map(|part| Node::text(at, part)).collect()) })
    }

    fn select(&self, argument: &Node) -> Result<Node, Reported> {
        let expected = "an index and a list that has it";
        let Some([index, list]) = argument.as_list() else {
            return Err(self.bad_arguments("Fn::Select", expected, argument.at));
        };
        let index = self.resolve_text(index, "Fn::Select", expected)?.parse::<usize>();
        let items = self.resolve(list)?;
        let item = items.as_ref().and_then(Node::as_list).and_then(|items| items.get(index.ok()?));
        item.cloned().ok_or_else(|| self.bad_arguments("Fn::Select", expected, argument.at))
    }

    fn find_in_map(&self, argument: &Node) -> Resolved {
        let expected = "a mapping and two keys";
        let Some([mapping, first, second]) = argument.as_list() else {
            return Err(self.bad_arguments("Fn::FindInMap", expected, argument.at));
        };
        let mapping = self.resolve_text(mapping, "Fn::FindInMap", expected)?;
        let path = [
            self.resolve_text(first, "Fn::FindInMap", expected)?,
            self.resolve_text(second, "Fn::FindInMap", expected)?,
        ];
        let Some(mut node) = self.mappings.get(&mapping).map(|field| &field.value) else {
            return Err(self.report_unknown(
                "mapping",
                &mapping,
                self.mappings.keys().map(String::as_str),
                argument.at,
            ));
        };
        for key in path {
            let keys = node.as_map().into_iter().flat_map(Map::keys).map(String::as_str);
            node = match node.get(&key) {
                Some(inner) => inner,
                None => return Err(self.report_unknown("key of a mapping", &key, keys, argument.at)),
            };
        }
        self.resolve(node)
    }
}

/// The function and its argument, where a map is the long form of one.
pub(crate) fn function_of(map: &Map) -> Option<(&str, &Node)> {
    let (name, field) = map.first().filter(|_| map.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), &field.value))
}

/// The first `{{resolve:…}}` of a text.
fn dynamic_reference(text: &str) -> Option<&str> {
    let rest = &text[text.find("{{resolve:")?..];
    Some(rest.find("}}").map_or(rest, |end| &rest[..end + 2]))
}

/// A part of the text of `Fn::Sub`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SubPart<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The parts of a text with `${Name}` in it. `${!Name}` is the text `${Name}`.
pub(crate) fn sub_parts(text: &str) -> Vec<SubPart<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let (before, name) = (&rest[..start], &rest[start + 2..start + length]);
        if let Some(literal) = name.strip_prefix('!') {
            parts.extend([SubPart::Text(before), SubPart::Text("${"), SubPart::Text(literal), SubPart::Text("}")]);
        } else {
            parts.extend([SubPart::Text(before), SubPart::Name(name.trim())]);
        }
        rest = &rest[start + length + 1..];
    }
    parts.push(SubPart::Text(rest));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_sub_text() {
        let texts = |text| {
            sub_parts(text)
                .into_iter()
                .map(|part| match part {
                    SubPart::Text(text) => text.to_owned(),
                    SubPart::Name(name) => format!("<{name}>"),
                })
                .collect::<String>()
        };
        assert_eq!(texts("a-${B}-${C.D}"), "a-<B>-<C.D>");
        assert_eq!(texts("${!aws:username}/${ A }"), "${aws:username}/<A>");
        assert_eq!(texts("open ${ and $ and ${x"), "open ${ and $ and ${x");
    }
}
