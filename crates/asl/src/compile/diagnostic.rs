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

/// The kind of a finding: those of `ValidateStateMachineDefinition`, and some of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The text is no JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown or has a wrong value.
    SchemaValidationFailed,
    /// A transition leads nowhere.
    MissingTransitionTarget,
    /// Nothing leads to a state. The service has the same name for this.
    NotReachable,
    /// No state ends the machine.
    MissingEndState,
    /// Two states have the same name, in whatever graphs.
    DuplicateStateName,
    /// A state's name is too long.
    InvalidStateName,
    /// A `Label` is empty, too long, or has a character that it can't have.
    InvalidLabelName,
    /// Two Map states have the same `Label`.
    DuplicateLabelName,
    /// Graphs nest too deep.
    TooDeeplyNested,
    /// A variable's name is none.
    InvalidVariableName,
    /// A variable has the name of one that the service assigns.
    ReservedVariableName,
    /// An expression of JSONata does not parse.
    InvalidJsonataExpression,
    /// An expression of JSONata asks for what is not there at its place.
    UnsupportedJsonataExpression,
    /// A value looks like a path, and its field's name does not end in `.$`.
    NoDollar,
    /// A value looks like a path, and its field's name does not end in `Path`.
    NoPath,
    /// A Pass state's `Result` has what looks like a path.
    PassResultIsStatic,
    /// The service has this, and it is not emulated.
    NotEmulated,
    /// A text looks like an expression of JSONata, and is none.
    NoExpression,
    /// A Choice state has no `Default`.
    NoDefault,
    /// A retrier or a catcher can never take an error that it names.
    NeverTaken,
    /// A retrier never retries.
    NoAttempts,
    /// A task that somebody must answer may wait for ever.
    NoTimeout,
    /// An inline Map state is to go through an object.
    NoArray,
    /// A path leads to what no state before it gives.
    NeverFound,
    /// A variable is read that no state before it assigns.
    NeverAssigned,
    /// A function is called that JSONata does not have.
    NoFunction,
}

impl Code {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Self::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Self::MissingTransitionTarget | Self::NotReachable => "MISSING_TRANSITION_TARGET",
            Self::MissingEndState => "MISSING_END_STATE",
            Self::DuplicateStateName => "DUPLICATE_STATE_NAME",
            Self::InvalidStateName => "INVALID_STATE_NAME",
            Self::InvalidLabelName => "INVALID_LABEL_NAME",
            Self::DuplicateLabelName => "DUPLICATE_LABEL_NAME",
            Self::TooDeeplyNested => "TOO_DEEPLY_NESTED",
            Self::InvalidVariableName => "INVALID_VARIABLE_NAME",
            Self::ReservedVariableName => "RESERVED_VARIABLE_NAME",
            Self::InvalidJsonataExpression => "INVALID_JSONATA_EXPRESSION",
            Self::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
            Self::NoDollar => "NO_DOLLAR",
            Self::NoPath => "NO_PATH",
            Self::PassResultIsStatic => "PASS_RESULT_IS_STATIC",
            Self::NotEmulated => "NOT_EMULATED",
            Self::NoExpression => "NO_EXPRESSION",
            Self::NoDefault => "NO_DEFAULT",
            Self::NeverTaken => "NEVER_TAKEN",
            Self::NoAttempts => "NO_ATTEMPTS",
            Self::NoTimeout => "NO_TIMEOUT",
            Self::NoArray => "NO_ARRAY",
            Self::NeverFound => "NEVER_FOUND",
            Self::NeverAssigned => "NEVER_ASSIGNED",
            Self::NoFunction => "NO_FUNCTION",
        }
    }

    /// Whether the service has it too. What it has not is for a person, and not for who asks as one asks the service.
    pub fn is_of_the_service(self) -> bool {
        match self {
            Self::InvalidJsonDescription
            | Self::SchemaValidationFailed
            | Self::MissingTransitionTarget
            | Self::NotReachable
            | Self::MissingEndState
            | Self::DuplicateStateName
            | Self::InvalidStateName
            | Self::InvalidLabelName
            | Self::DuplicateLabelName
            | Self::TooDeeplyNested
            | Self::InvalidVariableName
            | Self::ReservedVariableName
            | Self::InvalidJsonataExpression
            | Self::UnsupportedJsonataExpression
            | Self::NoDollar
            | Self::NoPath
            | Self::PassResultIsStatic => true,
            Self::NotEmulated
            | Self::NoExpression
            | Self::NoDefault
            | Self::NeverTaken
            | Self::NoAttempts
            | Self::NoTimeout
            | Self::NoArray
            | Self::NeverFound
            | Self::NeverAssigned
            | Self::NoFunction => false,
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

/// The findings without those that may only follow from others: where a transition leads nowhere, nobody knows which states
/// it would have led to.
pub fn without_consequences(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let leads_nowhere = found.iter().any(|found| found.code == Code::MissingTransitionTarget);
    found.into_iter().filter(|found| !(leads_nowhere && found.code == Code::NotReachable)).collect()
}

impl Diagnostic {
    /// An error at a place of the definition.
    pub fn error(code: Code, message: impl Into<String>, location: impl Into<String>) -> Self {
        let location = Some(location.into());
        Self { severity: Severity::Error, code, message: message.into(), location, field: None, help: None }
    }

    /// The narrowest place in the definition that the finding is about, in the service's notation:
    /// `/States/Check/Catch[0]/Next`, and `/` for the whole. Names stand in it as they are, with whatever is in them.
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

    /// The place of a state.
    pub(super) fn of(location: &str) -> Self {
        Self(location.to_owned())
    }

    pub(super) fn child(&self, name: impl fmt::Display) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    /// An element of the array at this place: `/States/Check/Catch[0]`, as the service has it.
    pub(super) fn element(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
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
        self.warning_with_help(code, at, message, None);
    }

    pub(super) fn warning_with_help(
        &mut self,
        code: Code,
        at: &Pointer,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let severity = Severity::Warning;
        self.0.push(Diagnostic { severity, help, ..Diagnostic::error(code, message, at.to_string()) });
    }

    /// Reports a state with the name of one before it.
    pub(super) fn duplicate_state(&mut self, name: &str, at: &Pointer) {
        self.error(Code::DuplicateStateName, at, format!("Duplicate State name: {name}"));
    }

    /// Reports what the service tells without a place.
    pub(super) fn error_of_no_place(&mut self, code: Code, message: impl Into<String>) {
        self.0.push(Diagnostic { location: None, ..Diagnostic::error(code, message, "") });
    }

    pub(super) fn add(&mut self, found: Diagnostic) {
        self.0.push(found);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether something is wrong that is not of this kind.
    pub(super) fn has_errors_beside(&self, code: Code) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error && finding.code != code)
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.0
    }
}
