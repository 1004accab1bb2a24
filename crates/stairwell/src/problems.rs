//! What is wrong with a project, told with its place and with what to do.

use std::{collections::HashMap, fmt};

use asl::{Diagnostic, Severity};
use cloud::{lambda::Notice, local::StartError, states::LoadError};
use miette::{Diagnostic as MietteDiagnostic, LabeledSpan, NamedSource, SourceCode};
use sam::{Application, SourceLocation, WrittenDefinition};
use serde_json::{Value, json};

use crate::terminal::{RED, YELLOW, painted};

/// One thing that is wrong, or should be known.
#[derive(Debug)]
pub struct Problem {
    code: String,
    message: String,
    help: Option<String>,
    severity: miette::Severity,
    location: Option<SourceLocation>,
    source: Option<NamedSource<std::sync::Arc<str>>>,
}

impl Problem {
    fn new(code: &str, message: String, help: Option<String>, location: Option<SourceLocation>) -> Self {
        let source =
            location.as_ref().map(|place| NamedSource::new(place.file.display().to_string(), place.source().clone()));
        Self { code: code.to_owned(), message, help, severity: miette::Severity::Error, location, source }
    }

    /// A problem of the template.
    pub fn of_template(problem: &sam::Problem) -> Self {
        Self::new(problem.code(), problem.kind.to_string(), problem.help(), problem.location.clone())
    }

    /// What a service refuses of what the template describes.
    pub fn of_start(error: &StartError, location: Option<SourceLocation>) -> Self {
        Self::new("refused", error.to_string(), None, location)
    }

    /// What somebody should know of functions before they are called. What can run nowhere is an error.
    pub fn of_notice(notice: &Notice, application: &Application) -> Self {
        if let Notice::Fault { function, .. } = notice {
            return Self::new("handler", notice.to_string(), None, application.locate_resource(function));
        }
        let mut problem = Self::new("function", notice.to_string(), None, None);
        problem.severity = miette::Severity::Warning;
        problem
    }

    /// What holds for states of these state machines, each named as often as it has one.
    pub fn of_states(message: &str, state_machines: &[&str]) -> Self {
        let mut names = state_machines.to_vec();
        names.dedup();
        let text = match (state_machines.len(), names.as_slice()) {
            (1, [machine]) => format!("{message} (state machine {machine})"),
            (count, [machine]) => format!("{message} ({count} states of the state machine {machine})"),
            (count, names) => format!("{message} ({count} states of the state machines {})", names.join(", ")),
        };
        let mut problem = Self::new("not-emulated", text, None, None);
        problem.severity = miette::Severity::Warning;
        problem
    }

    /// A definition that could not be read, so that nobody knows what is wrong in it.
    pub fn not_checked(state_machine: &str) -> Self {
        let message = format!("the definition of {state_machine} was not checked, because it could not be read");
        let mut problem = Self::new("not-checked", message, Some("fix what is told above first".to_owned()), None);
        problem.severity = miette::Severity::Warning;
        problem
    }

    /// The text of its place.
    pub fn shown(&self) -> Option<&str> {
        let place = self.location.as_ref()?;
        place.source().get(place.offset..place.offset + place.length)
    }

    /// Tells it without its code, as a mistake of how the command was called.
    pub fn tell(&self) {
        let kind = match (self.is_error(), self.code.as_str()) {
            (true, _) => painted(RED, "error:"),
            (false, "function") => painted(YELLOW, "notice:"),
            (false, _) => painted(YELLOW, "warning:"),
        };
        crate::tell!("{kind} {}", self.message);
        if let Some(help) = &self.help {
            crate::tell!("  help: {help}");
        }
    }

    /// Where its place begins in its file.
    pub fn offset(&self) -> Option<usize> {
        Some(self.location.as_ref()?.offset)
    }

    /// Whether it is one of the project, and not of how the command was called.
    pub fn is_of_the_project(&self) -> bool {
        self.location.is_some()
    }

    /// Whether it is an error, and not just to be known.
    pub fn is_error(&self) -> bool {
        self.severity == miette::Severity::Error
    }

    /// The problem for machines.
    pub fn to_json(&self) -> Value {
        json!({
            "severity": if self.is_error() { "ERROR" } else { "WARNING" },
            "code": self.code,
            "message": self.message,
            "help": self.help,
            "file": self.location.as_ref().map(|place| place.file.display().to_string()),
            "line": self.location.as_ref().map(|place| place.line),
            "column": self.location.as_ref().map(|place| place.column),
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl MietteDiagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.location.as_ref()?;
        let label = LabeledSpan::new(Some("here".to_owned()), place.offset, place.length);
        Some(Box::new(std::iter::once(label)))
    }
}

/// What is found in the definitions of an application, with its places: each definition is read but once for them.
pub struct InDefinitions<'a> {
    application: &'a Application,
    written: HashMap<String, Option<WrittenDefinition>>,
}

impl<'a> InDefinitions<'a> {
    /// Of these state machines.
    pub fn of(application: &'a Application) -> Self {
        Self { application, written: HashMap::new() }
    }

    /// A finding in the definition of a state machine.
    pub fn problem(&mut self, state_machine: &str, found: &Diagnostic) -> Problem {
        let application = self.application;
        let written = self.written.entry(state_machine.to_owned()).or_insert_with(|| {
            let machine = application.state_machines.iter().find(|machine| machine.logical_id == state_machine)?;
            application.written_definition(machine)
        });
        let pointer = found.pointer();
        let location = written.as_ref().map(|written| match found.field {
            Some(_) => written.locate_name(&pointer),
            None => written.locate(&pointer),
        });
        let text = with_field(&found.message, &pointer);
        let message = match location {
            Some(_) => format!("{text} (state machine {state_machine})"),
            None => format!("{text} (state machine {state_machine}, at {pointer})"),
        };
        let mut problem = Problem::new(&kebab(found.code.name()), message, found.help.clone(), location);
        if found.severity == Severity::Warning {
            problem.severity = miette::Severity::Warning;
        }
        problem
    }

    /// Why a state machine can't be run.
    pub fn error(&mut self, error: &LoadError) -> Problem {
        self.problem(&error.state_machine, &error.diagnostic)
    }
}

/// A message with the field that it is about, where it names none: the service's own tell it by their place alone.
fn with_field(message: &str, pointer: &str) -> String {
    let field = pointer.rsplit('/').next().unwrap_or_default();
    let is_of_value = ["Expected value ", "Minimum value ", "Maximum value ", "Value "]
        .iter()
        .any(|begin| message.starts_with(begin));
    if is_of_value && !field.is_empty() && !message.contains(field) {
        return format!("`{field}`: {message}");
    }
    message.to_owned()
}

/// `MISSING_END_STATE` as the template's problems are named: `missing-end-state`.
fn kebab(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Something that the template has and the runner leaves out, in the form of [`Problem::to_json`].
pub fn left_out_json(left_out: &sam::LeftOut) -> Value {
    json!({
        "severity": "NOT_EMULATED",
        "code": "not-emulated",
        "message": left_out.reason,
        "what": left_out.what,
        "place": left_out.place,
    })
}
