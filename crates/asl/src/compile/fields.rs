//! An object of a definition, read field by field, so that no field is overlooked.

use std::{ops::RangeInclusive, sync::Arc};

use super::diagnostic::{Code, Findings, Pointer};
use crate::{
    machine::{Count, ResultPath, Selection},
    path::{Path, ReferencePath, Root},
    template::{Expression, Template},
    value::{Object, Value},
};

/// Reads the fields of one object; [`Fields::close`] reports those that nobody asked for.
pub(super) struct Fields<'a> {
    object: Arc<Object>,
    asked: Vec<&'static str>,
    /// Names that nobody asked for by themselves, and that may have been meant.
    meant: Vec<&'static str>,
    pub(super) at: Pointer,
    pub(super) findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    pub(super) fn open(value: &Value, at: Pointer, findings: &'a mut Findings) -> Option<Self> {
        let Value::Object(object) = value else {
            findings.error(Code::SchemaValidationFailed, &at, "Value is not of type 'Object'");
            return None;
        };
        Some(Self { object: object.clone(), asked: Vec::new(), meant: Vec::new(), at, findings })
    }

    /// A field's value as it stands.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.object.get(name).cloned()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    pub(super) fn error(&mut self, name: &'static str, message: impl Into<String>) {
        self.findings.error(Code::SchemaValidationFailed, &self.at.child(name), message);
    }

    /// An object below a field.
    pub(super) fn below(&mut self, value: &Value, at: Pointer) -> Option<Fields<'_>> {
        Fields::open(value, at, self.findings)
    }

    /// Reports that fields are missing, as the service does.
    pub(super) fn require(&mut self, name: &'static str) {
        if !self.has(name) {
            self.findings.error(Code::SchemaValidationFailed, &self.at, format!("These fields are required: [{name}]"));
        }
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<Arc<str>> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.error(name, "Value is not of type 'String'");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.error(name, "Value is not of type 'Boolean'");
                None
            }
        }
    }

    pub(super) fn count(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(name)?;
        let count = value.as_i64().and_then(|number| u64::try_from(number).ok()).filter(|count| range.contains(count));
        if count.is_none() {
            self.error(name, format!("Value must be an integer from {} to {}", range.start(), range.end()));
        }
        count
    }

    /// A small whole number with a default.
    pub(super) fn small_count(&mut self, name: &'static str, range: RangeInclusive<u32>, default: u32) -> u32 {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        self.count(name, range).and_then(|count| u32::try_from(count).ok()).unwrap_or(default)
    }

    /// `<name>` or `<name>Path`, not both.
    pub(super) fn count_or_path(
        &mut self,
        name: &'static str,
        path_name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Count> {
        let literal = self.count(name, range).map(Count::Literal);
        let path = self.path(path_name).map(Count::Path);
        if self.has(name) && self.has(path_name) {
            self.error(path_name, format!("'{name}' and '{path_name}' exclude each other"));
        }
        literal.or(path)
    }

    pub(super) fn array(&mut self, name: &'static str) -> Option<Arc<Vec<Value>>> {
        match self.take(name)? {
            Value::Array(items) => Some(items),
            _ => {
                self.error(name, "Value is not of type 'Array'");
                None
            }
        }
    }

    /// An array that must be there and have elements.
    pub(super) fn filled_array(&mut self, name: &'static str) -> Option<Arc<Vec<Value>>> {
        self.require(name);
        let items = self.array(name)?;
        if items.is_empty() {
            self.error(name, "Value cannot be empty");
            return None;
        }
        Some(items)
    }

    pub(super) fn path(&mut self, name: &'static str) -> Option<Path> {
        let text = self.text(name)?;
        match Path::parse(&text) {
            Ok(path) => {
                refuse_variables(&[&path], &self.at.child(name), self.findings);
                Some(path)
            }
            Err(error) => {
                self.error(name, format!("Value is not a valid JSONPath: {error}"));
                None
            }
        }
    }

    pub(super) fn expression(&mut self, name: &'static str) -> Option<Expression> {
        let text = self.text(name)?;
        match Expression::parse(&text) {
            Ok(expression) => {
                refuse_variables(&expression.paths(), &self.at.child(name), self.findings);
                Some(expression)
            }
            Err(error) => {
                self.error(name, format!("Value is not a valid JSONPath or intrinsic function: {error}"));
                None
            }
        }
    }

    /// `InputPath`, `OutputPath`, `ItemsPath`.
    pub(super) fn selection(&mut self, name: &'static str) -> Selection {
        match self.object.get(name) {
            Some(Value::Null) => {
                self.asked.push(name);
                Selection::Nothing
            }
            _ => match self.path(name) {
                Some(path) if path.text() == "$" => Selection::Whole,
                Some(path) => Selection::Path(path),
                None => Selection::Whole,
            },
        }
    }

    pub(super) fn result_path(&mut self) -> ResultPath {
        const NAME: &str = "ResultPath";
        if let Some(Value::Null) = self.object.get(NAME) {
            self.asked.push(NAME);
            return ResultPath::Discard;
        }
        let Some(text) = self.text(NAME) else { return ResultPath::Replace };
        match ReferencePath::parse(&text) {
            Ok(path) if path.text() == "$" => ResultPath::Replace,
            Ok(path) => ResultPath::At(path),
            Err(error) => {
                self.error(NAME, format!("Value is not a Reference Path: {error}"));
                ResultPath::Replace
            }
        }
    }

    pub(super) fn template(&mut self, name: &'static str) -> Option<Template> {
        let value = self.take(name)?;
        let at = self.at.child(name);
        Some(template(&value, &at, self.findings))
    }

    /// `QueryLanguage`, of which only `JSONPath` is known here.
    pub(super) fn query_language(&mut self) {
        match self.text("QueryLanguage").as_deref() {
            None | Some("JSONPath") => {}
            Some("JSONata") => self.not_supported("QueryLanguage", "the query language JSONata"),
            Some(other) => self.error("QueryLanguage", format!("Value must be 'JSONPath' or 'JSONata', not '{other}'")),
        }
    }

    /// Refuses what the service has and this program does not.
    pub(super) fn not_supported(&mut self, name: &'static str, what: &str) {
        self.findings.error(Code::NotSupported, &self.at.child(name), format!("{what} is not supported yet"));
    }

    /// Refuses these fields where they are set.
    pub(super) fn refuse(&mut self, names: &[&'static str]) {
        for name in names {
            self.asked.push(name);
            if self.has(name) {
                self.not_supported(name, &format!("the field '{name}'"));
            }
        }
    }

    /// Reports the fields that nobody asked for.
    pub(super) fn close(self) {
        for name in self.object.keys().filter(|name| !self.asked.contains(&&***name)) {
            let help = did_you_mean(name, self.asked.iter().chain(&self.meant).copied());
            self.findings.unknown_field(&self.at.child(name), format!("Field '{name}' is not supported"), help);
        }
    }

    /// Names that may be meant by fields that nobody asks for, and whether one of these seems to be.
    pub(super) fn may_be_meant(&mut self, names: &[&'static str]) -> bool {
        self.meant.extend(names);
        let mut unknown = self.object.keys().filter(|name| !self.asked.contains(&&***name));
        unknown.any(|name| did_you_mean(name, names.iter().copied()).is_some())
    }
}

/// `did you mean 'Next'?`: the nearest of the known names, where one is near.
pub(super) fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    known
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, known)| format!("did you mean '{known}'?"))
}

/// Compiles a payload template.
pub(super) fn template(value: &Value, at: &Pointer, findings: &mut Findings) -> Template {
    match value {
        Value::Object(fields) => object_template(value, fields, at, findings),
        Value::Array(items) => {
            let items: Vec<_> =
                items.iter().enumerate().map(|(index, item)| template(item, &at.child(index), findings)).collect();
            if items.iter().all(is_literal) { Template::Literal(value.clone()) } else { Template::Array(items) }
        }
        other => Template::Literal(other.clone()),
    }
}

fn object_template(value: &Value, fields: &Object, at: &Pointer, findings: &mut Findings) -> Template {
    let mut filled = Vec::with_capacity(fields.len());
    for (field, value) in fields {
        let at = at.child(field);
        let Some(name) = field.strip_suffix(".$") else {
            filled.push((field.clone(), template(value, &at, findings)));
            continue;
        };
        let expression = match value {
            Value::String(text) => Expression::parse(text),
            _ => Err("it is no string".to_owned()),
        };
        match expression {
            Ok(expression) => {
                refuse_variables(&expression.paths(), &at, findings);
                filled.push((name.into(), Template::Expression { field: field.clone(), expression }));
            }
            Err(why) => findings.error(
                Code::SchemaValidationFailed,
                &at,
                format!("The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call: {why}"),
            ),
        }
    }
    if filled.iter().all(|(_, template)| is_literal(template)) {
        Template::Literal(value.clone())
    } else {
        Template::Object(filled)
    }
}

/// Nothing can assign a variable yet, so a path that starts from one would lead nowhere.
fn refuse_variables(paths: &[&Path], at: &Pointer, findings: &mut Findings) {
    for path in paths {
        if let Root::Variable(name) = path.root() {
            findings.error(Code::NotSupported, at, format!("variables are not supported yet: '${name}'"));
        }
    }
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}
