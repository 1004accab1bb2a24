//! An object of a definition, read field by field, so that no field is overlooked.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use super::{
    diagnostic::{Code, Diagnostic, Findings, Pointer},
    template,
};
use crate::{
    flow::{ResultPath, Selection},
    machine::{Count, Percentage},
    path::{Path, ReferencePath, Root},
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

/// Types as the service names them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    String,
    Boolean,
    Integer,
    Number,
    Array,
    Object,
}

impl Type {
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::String => "Expected value of type [STRING]",
            Self::Boolean => "Expected value of type [BOOLEAN]",
            Self::Integer => "Expected value of type [INTEGER]",
            Self::Number => "Expected value of type [NUMBER]",
            Self::Array => "Expected value of type [ARRAY]",
            Self::Object => "Expected value of type [OBJECT]",
        }
    }
}

/// What a text is that is no path.
const NOT_A_PATH: &str = "Value must be a valid JSONPath.";

/// What a path is that leads to more than one place.
const NOT_A_REFERENCE: &str = "Value is not a Reference Path";

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
    /// Whether fields of the other language are let be: that the languages are mixed has been reported.
    pub(super) is_mixed: bool,
    pub(super) findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    /// Opens a machine or a state, whose expressions are named from here on.
    pub(super) fn open(value: &Value, at: Pointer, language: Language, findings: &'a mut Findings) -> Option<Self> {
        let Value::Object(object) = value else {
            findings.error(Code::SchemaValidationFailed, &at, Type::Object.expected());
            return None;
        };
        let (asked, meant, place) = (Vec::new(), Vec::new(), Place::default());
        let is_mixed = false;
        Some(Self { object: object.clone(), asked, meant, at, place, language, is_mixed, findings })
    }

    /// Opens a state or a graph below this object, in a language of its own.
    pub(super) fn open_below(&mut self, value: &Value, at: Pointer, language: Language) -> Option<Fields<'_>> {
        Fields::open(value, at, language, self.findings)
    }

    /// Opens the value of a field.
    pub(super) fn inner(&mut self, name: &'static str, value: &Value) -> Option<Fields<'_>> {
        let (at, place) = (self.at.child(name), self.place.child(name));
        let is_mixed = self.is_mixed;
        Some(Fields { place, is_mixed, ..Fields::open(value, at, self.language, self.findings)? })
    }

    /// Opens an element of a field's array.
    pub(super) fn element(&mut self, name: &'static str, index: usize, value: &Value) -> Option<Fields<'_>> {
        let (at, place) = (self.at.child(name).element(index), self.place.child(name).element(index));
        let is_mixed = self.is_mixed;
        Some(Fields { place, is_mixed, ..Fields::open(value, at, self.language, self.findings)? })
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

    /// Reports that a field's value has another type.
    pub(super) fn type_error(&mut self, name: &'static str, expected: Type) {
        self.error(name, expected.expected());
    }

    /// Reports which of these fields are missing, all in one as the service does.
    pub(super) fn require_all(&mut self, names: &[&'static str]) {
        let missing: Vec<_> = names.iter().filter(|name| !self.has(name)).copied().collect();
        if !missing.is_empty() {
            self.object_error(format!("These fields are required: [{}]", missing.join(", ")));
        }
    }

    /// Reports that a field is missing.
    pub(super) fn require(&mut self, name: &'static str) {
        self.require_all(&[name]);
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<Arc<str>> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.type_error(name, Type::String);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.type_error(name, Type::Boolean);
                None
            }
        }
    }

    pub(super) fn count(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(name)?;
        let (least, most) = (*range.start(), *range.end());
        match whole(&value) {
            None if matches!(value, Value::Number(_)) => self.error(name, "Expected value of type Integer"),
            None => self.type_error(name, Type::Integer),
            Some(number) if number < i128::from(least) => self.error(name, format!("Minimum value is {least}")),
            Some(number) if number > i128::from(most) => self.error(name, format!("Maximum value is {most}")),
            Some(number) => return u64::try_from(number).ok(),
        }
        None
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
            let percentage = fields.number(name)?;
            if percentage < 0.0 {
                fields.error(name, "Minimum value is 0.0");
            } else if percentage > 100.0 {
                fields.error(name, "Maximum value is 100.0");
            }
            Some(Percentage::Literal(percentage))
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
        let path = self.reference_expression(path_name).map(of_expression);
        self.one_at_most(&[name, path_name]);
        literal.or(path)
    }

    /// A number that need not be whole.
    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        match self.take(name)? {
            Value::Number(number) if number.as_f64().is_some() => number.as_f64(),
            _ => {
                self.type_error(name, Type::Number);
                None
            }
        }
    }

    /// A string that must be one of these.
    pub(super) fn one_of(&mut self, name: &'static str, allowed: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        let found = allowed.iter().find(|allowed| **allowed == &*text).copied();
        if found.is_none() {
            self.error(name, format!("Value should be one of the following: [{}]", allowed.join(", ")));
        }
        found
    }

    /// Reports that more than one of these fields is there.
    pub(super) fn one_at_most(&mut self, names: &[&'static str]) {
        if names.iter().filter(|name| self.has(name)).count() > 1 {
            self.object_error(format!("There should only be one of the following fields: [{}]", names.join(", ")));
        }
    }

    /// Reports that not exactly one of these fields is there.
    pub(super) fn exactly_one(&mut self, names: &[&'static str]) {
        if names.iter().any(|name| self.has(name)) {
            self.one_at_most(names);
        } else {
            let names = names.join(", ");
            self.object_error(format!("This object should have only one of the following fields: [{names}]"));
        }
    }

    pub(super) fn array(&mut self, name: &'static str) -> Option<Arc<Vec<Value>>> {
        match self.take(name)? {
            Value::Array(items) => Some(items),
            _ => {
                self.type_error(name, Type::Array);
                None
            }
        }
    }

    /// An array that must have elements.
    pub(super) fn filled_array(&mut self, name: &'static str) -> Option<Arc<Vec<Value>>> {
        let items = self.array(name)?;
        if items.is_empty() {
            self.error(name, "Value cannot be empty");
            return None;
        }
        Some(items)
    }

    pub(super) fn path(&mut self, name: &'static str) -> Option<Path> {
        let text = self.text(name)?;
        Path::parse(&text).map_err(|_| self.error(name, NOT_A_PATH)).ok()
    }

    /// A path where an expression may stand: a `…Path` field.
    pub(super) fn path_expression(&mut self, name: &'static str) -> Option<Expression> {
        self.path(name).map(|path| Expression::of_path(name, path))
    }

    /// A path of a choice rule, which may lead into the context too.
    pub(super) fn operand_path(&mut self, name: &'static str) -> Option<Path> {
        let text = self.text(name)?;
        if !text.starts_with('$') {
            self.error(name, format!("{NOT_A_REFERENCE}: Reference path didn't start with '$'"));
            return None;
        }
        let path = Path::parse(&text).ok().filter(Path::is_definite);
        if path.is_none() {
            self.error(name, NOT_A_REFERENCE);
        }
        path
    }

    /// A path that leads to one place of the input or of a variable: where a number or a time is found.
    pub(super) fn reference_expression(&mut self, name: &'static str) -> Option<Expression> {
        let path = self.path(name)?;
        if !path.is_definite() || *path.root() == Root::Context {
            self.error(name, NOT_A_REFERENCE);
            return None;
        }
        Some(Expression::of_path(name, path))
    }

    /// A path or a call of an intrinsic function.
    pub(super) fn path_or_call(&mut self, name: &'static str) -> Option<Expression> {
        let text = self.text(name)?;
        Expression::json_path(name, &text).map_err(|_| self.error(name, NOT_A_PATH)).ok()
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
        let text = self.object.get(name).and_then(Value::as_str)?.to_owned();
        let (place, at) = (self.place.child(name), self.at.child(name));
        let Some(source) = template::source(&text) else {
            if !template::check_ends(&text, &at, self.findings) {
                self.asked.push(name);
                return Some(None);
            }
            return None;
        };
        self.asked.push(name);
        Some(template::query(source, &place, &at, Reads::Input, self.findings))
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
        if !text.starts_with('$') {
            self.error(NAME, NOT_A_PATH);
            return ResultPath::Replace;
        }
        match ReferencePath::parse(&text) {
            Ok(path) if path.text() == "$" => ResultPath::Replace,
            Ok(path) => ResultPath::At(path),
            Err(_) => {
                self.error(NAME, NOT_A_REFERENCE);
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
            if self.has(name) && !self.is_mixed {
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

/// A whole number of whatever size, written as one.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)),
        _ => None,
    }
}

/// `did you mean 'Next'?`: the nearest of the known names, where one is near.
pub(super) fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    nearest(name, known).map(|known| format!("did you mean '{known}'?"))
}

/// With how many names another is compared: a definition can have thousands of both.
const MAX_COMPARED: usize = 250;

/// The known name that may be meant by another.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .take(MAX_COMPARED)
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, _)| *distance <= 1 + name.len() / 4 && *distance < name.len())
        .min()
        .map(|(_, known)| known)
}
