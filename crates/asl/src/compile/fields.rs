//! An object of a definition, read field by field, so that no field is overlooked.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use super::{
    diagnostic::{Code, Diagnostic, Findings, Pointer},
    template,
};
use crate::{
    flow::{ResultPath, Selection},
    machine::{Count, Percentage},
    path::{Path, ReferencePath},
    template::{Expression, Template},
    value::{Object, Value},
};

/// `QueryLanguage`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    JsonPath,
    Jsonata,
}

impl Language {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::JsonPath => "JSONPath",
            Self::Jsonata => "JSONata",
        }
    }
}

/// Which fields `$states` has beside `input` and `context`, by where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// No others.
    Input,
    /// `result`: where a state with a result makes its output.
    Result,
    /// `errorOutput`: in a catcher.
    ErrorOutput,
}

/// An object's place inside its state, as messages about its expressions name it: `Catch[0]`, empty for the state.
#[derive(Clone, Debug, Default)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn child(&self, name: impl fmt::Display) -> Self {
        if self.0.is_empty() { Self(name.to_string()) } else { Self(format!("{}/{name}", self.0)) }
    }

    pub(super) fn element(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the fields of one object; [`Fields::close`] reports those that nobody asked for.
pub(super) struct Fields<'a> {
    object: Arc<Object>,
    asked: Vec<&'static str>,
    /// Names that nobody asked for by themselves, and that may have been meant.
    meant: Vec<&'static str>,
    pub(super) at: Pointer,
    pub(super) place: Place,
    pub(super) language: Language,
    pub(super) findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    /// Opens a machine or a state, whose expressions are named from here on.
    pub(super) fn open(value: &Value, at: Pointer, language: Language, findings: &'a mut Findings) -> Option<Self> {
        let Value::Object(object) = value else {
            findings.error(Code::SchemaValidationFailed, &at, "Value is not of type 'Object'");
            return None;
        };
        let (asked, meant, place) = (Vec::new(), Vec::new(), Place::default());
        Some(Self { object: object.clone(), asked, meant, at, place, language, findings })
    }

    /// Opens a state or a graph below this object, in a language of its own.
    pub(super) fn open_below(&mut self, value: &Value, at: Pointer, language: Language) -> Option<Fields<'_>> {
        Fields::open(value, at, language, self.findings)
    }

    /// Opens the value of a field.
    pub(super) fn inner(&mut self, name: &'static str, value: &Value) -> Option<Fields<'_>> {
        let (at, place) = (self.at.child(name), self.place.child(name));
        Some(Fields { place, ..Fields::open(value, at, self.language, self.findings)? })
    }

    /// Opens an element of a field's array.
    pub(super) fn element(&mut self, name: &'static str, index: usize, value: &Value) -> Option<Fields<'_>> {
        let (at, place) = (self.at.child(name).child(index), self.place.child(name).element(index));
        Some(Fields { place, ..Fields::open(value, at, self.language, self.findings)? })
    }

    /// A field's value as it stands.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.object.get(name).cloned()
    }

    /// A field's value, which stays as it is for whoever asks for it.
    pub(super) fn look(&self, name: &str) -> Option<&Value> {
        self.object.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Reports something about a field's value.
    pub(super) fn error(&mut self, name: &'static str, message: impl Into<String>) {
        self.findings.error(Code::SchemaValidationFailed, &self.at.child(name), message);
    }

    /// Reports something about the object itself.
    pub(super) fn object_error(&mut self, message: impl Into<String>) {
        self.findings.error(Code::SchemaValidationFailed, &self.at, message);
    }

    /// Reports that a field should not be there: at the object, as the service does.
    pub(super) fn field_error(&mut self, name: &str, message: impl Into<String>, help: Option<String>) {
        self.findings.add(Diagnostic {
            field: Some(name.to_owned()),
            help,
            ..Diagnostic::error(Code::SchemaValidationFailed, message, self.at.to_string())
        });
    }

    /// Reports that a field is missing, as the service does.
    pub(super) fn require(&mut self, name: &'static str) {
        if !self.has(name) {
            self.object_error(format!("These fields are required: [{name}]"));
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

    /// A whole number: `<name>` or, in `JSONPath`, `<name>Path`.
    pub(super) fn count_or_expression(
        &mut self,
        name: &'static str,
        path_name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Count> {
        let literal = |fields: &mut Self| fields.count(name, range).map(Count::Literal);
        self.literal_or_expression(name, path_name, literal, Count::Expression)
    }

    /// A percentage: `<name>` or, in `JSONPath`, `<name>Path`.
    pub(super) fn percentage_or_expression(
        &mut self,
        name: &'static str,
        path_name: &'static str,
    ) -> Option<Percentage> {
        let literal = |fields: &mut Self| {
            let percentage = match fields.take(name)? {
                Value::Number(number) => number.as_f64().filter(|percentage| (0.0..=100.0).contains(percentage)),
                _ => None,
            };
            if percentage.is_none() {
                fields.error(name, "Value must be a number from 0 to 100");
            }
            percentage.map(Percentage::Literal)
        };
        self.literal_or_expression(name, path_name, literal, Percentage::Expression)
    }

    /// `<name>` or, in `JSONPath`, `<name>Path`, not both; in JSONata `<name>` may be an expression.
    fn literal_or_expression<T>(
        &mut self,
        name: &'static str,
        path_name: &'static str,
        literal: impl FnOnce(&mut Self) -> Option<T>,
        of_expression: impl FnOnce(Expression) -> T,
    ) -> Option<T> {
        if let Some(query) = self.query(name) {
            return query.map(of_expression);
        }
        let literal = literal(self);
        if self.language == Language::Jsonata {
            self.refuse_json_path(&[path_name]);
            return literal;
        }
        let path = self.path_expression(path_name).map(of_expression);
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
        Path::parse(&text).map_err(|error| self.error(name, format!("Value is not a valid JSONPath: {error}"))).ok()
    }

    /// A path where an expression may stand: a `…Path` field.
    pub(super) fn path_expression(&mut self, name: &'static str) -> Option<Expression> {
        self.path(name).map(|path| Expression::of_path(name, path))
    }

    /// A path or a call of an intrinsic function.
    pub(super) fn path_or_call(&mut self, name: &'static str) -> Option<Expression> {
        let text = self.text(name)?;
        Expression::json_path(name, &text)
            .map_err(|error| self.error(name, format!("Value is not a valid JSONPath or intrinsic function: {error}")))
            .ok()
    }

    /// The expression of JSONata that a field holds between `{%` and `%}`.
    ///
    /// Nothing where it holds something else, which is left to be read; the inner nothing where the expression was
    /// reported.
    #[expect(clippy::option_option, reason = "whether there is an expression, and whether it can be used")]
    pub(super) fn query(&mut self, name: &'static str) -> Option<Option<Expression>> {
        if self.language == Language::JsonPath {
            return None;
        }
        let source = self.object.get(name).and_then(Value::as_str).and_then(template::source)?.to_owned();
        self.asked.push(name);
        let (place, at) = (self.place.child(name), self.at.child(name));
        Some(template::query(&source, &place, &at, Reads::Input, self.findings))
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

    /// A payload template in the state's language.
    pub(super) fn template(&mut self, name: &'static str, reads: Reads) -> Option<Template> {
        let value = self.take(name)?;
        let at = self.at.child(name);
        Some(match self.language {
            Language::JsonPath => template::json_path(&value, &at, self.findings),
            Language::Jsonata => template::jsonata(&value, &self.place.child(name), &at, reads, self.findings),
        })
    }

    /// Refuses fields of `JSONPath` in JSONata.
    pub(super) fn refuse_json_path(&mut self, names: &[&'static str]) {
        self.refuse_other_language(names, Language::JsonPath);
    }

    /// Refuses fields of JSONata in `JSONPath`.
    pub(super) fn refuse_jsonata(&mut self, names: &[&'static str]) {
        self.refuse_other_language(names, Language::Jsonata);
    }

    fn refuse_other_language(&mut self, names: &[&'static str], other: Language) {
        for name in names {
            self.asked.push(name);
            if self.has(name) {
                let (language, other) = (self.language.name(), other.name());
                let message = format!(
                    "The QueryLanguage is set to '{language}', but field '{name}' is only supported for the '{other}' \
                     QueryLanguage"
                );
                self.field_error(name, message, None);
            }
        }
    }

    /// Names that may be meant by fields that nobody asks for, and whether one of these seems to be.
    pub(super) fn may_be_meant(&mut self, names: &[&'static str]) -> bool {
        self.meant.extend(names);
        let mut unknown = self.object.keys().filter(|name| !self.asked.contains(&&***name));
        unknown.any(|name| did_you_mean(name, names.iter().copied()).is_some())
    }

    /// Lets the fields be that nobody asked for: what they are to say is not known.
    pub(super) fn let_be(&mut self) {
        self.object = Arc::default();
    }

    /// Reports every field that nobody asked for.
    pub(super) fn close(mut self) {
        let left: Vec<Arc<str>> = self.object.keys().filter(|name| !self.asked.contains(&&***name)).cloned().collect();
        for name in left {
            let help = did_you_mean(&name, self.asked.iter().chain(&self.meant).copied());
            self.field_error(&name, format!("Field '{name}' is not supported"), help);
        }
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
