//! What is found in a definition, and where.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The definition is refused.
    Error,
    /// The definition is taken; a person should know.
    Warning,
}

/// The kind of a finding, by the names of `ValidateStateMachineDefinition`, and one of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The text is no JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown or has a wrong value.
    SchemaValidationFailed,
    /// A transition leads nowhere, or nothing leads to a state.
    MissingTransitionTarget,
    /// No state ends a graph.
    MissingEndState,
    /// An expression of JSONata does not parse.
    InvalidJsonataExpression,
    /// An expression of JSONata asks for what is not there at its place.
    UnsupportedJsonataExpression,
    /// The service has this, this program does not yet.
    NotSupported,
}

impl Code {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Self::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Self::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Self::MissingEndState => "MISSING_END_STATE",
            Self::InvalidJsonataExpression => "INVALID_JSONATA_EXPRESSION",
            Self::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
            Self::NotSupported => "NOT_SUPPORTED",
        }
    }
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind.
    pub code: Code,
    /// What it is, for a person.
    pub message: String,
    /// Where it is, as the service tells it: `/States/Check/Next`, or `/` for the whole definition; nothing where it tells none.
    pub location: Option<String>,
    /// The field at that place that is meant, where the service's location stops above it.
    pub field: Option<String>,
    /// What may have been meant, where that can be said.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place of the definition.
    pub fn error(code: Code, message: impl Into<String>, location: impl Into<String>) -> Self {
        let location = Some(location.into());
        Self { severity: Severity::Error, code, message: message.into(), location, field: None, help: None }
    }

    /// The narrowest place in the definition that the finding is about, as a JSON pointer; `/` for the whole.
    pub fn pointer(&self) -> String {
        let location = self.location.as_deref().unwrap_or("/");
        match &self.field {
            Some(field) => format!("{}/{field}", location.trim_end_matches('/')),
            None => location.to_owned(),
        }
    }
}

/// `SCHEMA_VALIDATION_FAILED: These fields are required: [Next] at /States/A`, as the service words it.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = self.location.as_deref().unwrap_or("null");
        write!(f, "{}: {} at {location}", self.code.name(), self.message)
    }
}

/// A place in a definition.
#[derive(Clone, Debug)]
pub(super) struct Pointer(String);

impl Pointer {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    pub(super) fn child(&self, name: impl fmt::Display) -> Self {
        Self(format!("{}/{name}", self.0))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// Collects findings.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Diagnostic>);

impl Findings {
    pub(super) fn error(&mut self, code: Code, at: &Pointer, message: impl Into<String>) {
        self.0.push(Diagnostic::error(code, message, at.to_string()));
    }

    pub(super) fn warning(&mut self, code: Code, at: &Pointer, message: impl Into<String>) {
        self.0.push(Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message, at.to_string()) });
    }

    pub(super) fn add(&mut self, found: Diagnostic) {
        self.0.push(found);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.0
    }
}
