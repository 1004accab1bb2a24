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
            Self::NotSupported => "NOT_SUPPORTED",
        }
    }
}

/// What of its place a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The value that is there.
    Value,
    /// The name of the field: nobody knows it.
    Name,
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
    /// Where it is: `/States/Check/Next`, or `/` for the whole definition.
    pub location: String,
    /// What of that place it is about.
    pub part: Part,
    /// What may have been meant, where that can be said.
    pub help: Option<String>,
}

/// `SCHEMA_VALIDATION_FAILED: These fields are required: [Next] at /States/A`, as the service words it.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} at {}", self.code.name(), self.message, self.location)
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
        self.add(Severity::Error, code, at, message.into(), None);
    }

    pub(super) fn error_with_help(&mut self, code: Code, at: &Pointer, message: String, help: Option<String>) {
        self.add(Severity::Error, code, at, message, help);
    }

    /// An error in the name of the field at this place.
    pub(super) fn unknown_field(&mut self, at: &Pointer, message: String, help: Option<String>) {
        let (severity, code, location) = (Severity::Error, Code::SchemaValidationFailed, at.to_string());
        self.0.push(Diagnostic { severity, code, message, location, part: Part::Name, help });
    }

    pub(super) fn warning(&mut self, code: Code, at: &Pointer, message: impl Into<String>) {
        self.add(Severity::Warning, code, at, message.into(), None);
    }

    fn add(&mut self, severity: Severity, code: Code, at: &Pointer, message: String, help: Option<String>) {
        self.0.push(Diagnostic { severity, code, message, location: at.to_string(), part: Part::Value, help });
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.0
    }
}
