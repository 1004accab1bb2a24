//! What can be wrong with a template.

use std::{fmt, path::PathBuf};

use crate::{application::Application, source::SourceLocation};

/// A template that cannot be loaded, with everything that is wrong with it.
#[derive(Debug, Clone)]
pub struct LoadError {
    /// The template.
    pub template: PathBuf,
    /// At least one, in the order of the template.
    pub problems: Vec<Problem>,
    /// The state machines whose definitions could not be read, by their logical ids.
    pub unread: Vec<String>,
    /// What could be read all the same, so that more can be found in it; none where the template itself could not.
    pub read: Option<Box<Application>>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{} has {count} {noun}", self.template.display())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for LoadError {}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where; none for a file that could not be read and for a parameter that the caller gave.
    pub location: Option<SourceLocation>,
}

impl Problem {
    /// A stable name in kebab-case: `missing-substitution`.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<String> {
        self.kind.help()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(f, "{location}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

/// The kinds of problems. The messages say what is wrong; [`Problem::help`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A file cannot be opened or is not UTF-8.
    #[error("cannot read {}: {reason}", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// A file is no YAML or JSON.
    #[error("{message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// A definition that stands for its template has a `${Name}`.
    #[error("the definition uses `${{{name}}}`, for which only a template has a value")]
    NoTemplate {
        /// The name in the braces.
        name: String,
    },
    /// The template has a section that CloudFormation does not know.
    #[error("`{name}` is not a section of a template")]
    UnknownSection {
        /// The section's key.
        name: String,
    },
    /// The template has `AWS::Serverless` resources and does not name SAM's transform.
    #[error("the template has `AWS::Serverless` resources and no `Transform: AWS::Serverless-2016-10-31`")]
    MissingTransform,
    /// A value has another type than its property.
    #[error("`{place}` must be {expected}, but is {found}")]
    WrongType {
        /// The property's path.
        place: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A property that must be there is not.
    #[error("`{place}` has no `{property}`, which is required")]
    MissingProperty {
        /// The path of the map that misses it.
        place: String,
        /// The property.
        property: &'static str,
    },
    /// SAM does not know a property.
    #[error("{resource_type} has no property `{property}`")]
    UnknownProperty {
        /// The resource's or event's type.
        resource_type: String,
        /// The property.
        property: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// Neither SAM nor CloudFormation has such a type.
    #[error("`{name}` is no type of {what}")]
    UnknownType {
        /// What it would be the type of.
        what: &'static str,
        /// The name.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// The caller gives a value for a parameter that the template does not have.
    #[error("the template has no parameter `{name}`")]
    UnknownParameter {
        /// The name.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
        /// The parameters that the template has.
        known: Vec<String>,
    },
    /// A parameter has no default and no value.
    #[error("the parameter `{name}` has neither a default nor a value")]
    MissingParameter {
        /// The parameter.
        name: String,
    },
    /// A parameter's value breaks one of its rules.
    #[error("the parameter `{name}` cannot be `{value}`: {reason}")]
    ParameterValue {
        /// The parameter.
        name: String,
        /// The value.
        value: String,
        /// The rule.
        reason: String,
    },
    /// A `Ref`, `Fn::GetAtt`, `Fn::Sub`, `DependsOn` or event names nothing in the template.
    #[error("the template has no {what} `{name}`")]
    UnknownReference {
        /// What kind of thing is missing: `resource or parameter`, `condition`, `mapping`.
        what: &'static str,
        /// Its name.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// A resource is used that a condition leaves out.
    #[error("`{name}` does not exist here: its condition `{condition}` is false")]
    ConditionalResource {
        /// The resource.
        name: String,
        /// Its condition.
        condition: String,
    },
    /// `Fn::GetAtt` asks for an attribute that the runner has no value for.
    #[error("the attribute `{attribute}` of `{name}` ({resource_type}) is not known on this machine")]
    UnknownAttribute {
        /// The resource.
        name: String,
        /// Its type.
        resource_type: String,
        /// The attribute.
        attribute: String,
        /// The one that was probably meant.
        suggestion: Option<String>,
    },
    /// Names, conditions or substitutions go in a circle.
    #[error("`{name}` is defined in terms of itself")]
    CircularReference {
        /// One of the names.
        name: String,
    },
    /// An intrinsic function that needs an account, or that is not supported.
    #[error("{function} is not emulated: {reason}")]
    UnsupportedFunction {
        /// `Fn::ImportValue`.
        function: String,
        /// Why.
        reason: &'static str,
    },
    /// An intrinsic function has arguments of another form.
    #[error("{function} takes {expected}")]
    FunctionArguments {
        /// The function.
        function: String,
        /// The form of its arguments.
        expected: &'static str,
    },
    /// A `{{resolve:…}}` reference to a secret or a parameter of an account.
    #[error("`{reference}` refers to a value in an AWS account, which is not asked")]
    DynamicReference {
        /// The reference.
        reference: String,
    },
    /// A value that is right for AWS and that the runner cannot work with.
    #[error("`{place}` is {value}: {reason}")]
    UnsupportedValue {
        /// The property's path.
        place: String,
        /// The value.
        value: String,
        /// Why not.
        reason: String,
    },
    /// The code of a function is not there.
    #[error("the code of `{function}` is not there: {reason}")]
    MissingCode {
        /// The function's logical id.
        function: String,
        /// What is missing, with its path.
        reason: String,
    },
    /// A package does not have the binary that a function names.
    #[error("the package {} has no binary `{binary}`", package.display())]
    MissingBinary {
        /// The package's folder.
        package: PathBuf,
        /// The binary that the function names.
        binary: String,
        /// The binaries that the package has.
        available: Vec<String>,
    },
    /// A function names no binary, and its package has several, or none.
    #[error("the package {} has {} binaries, and the function does not say which is its own", package.display(), available.len())]
    UnnamedBinary {
        /// The package's folder.
        package: PathBuf,
        /// The binaries that the package has.
        available: Vec<String>,
    },
    /// A definition has a `${Name}` that `DefinitionSubstitutions` does not give.
    #[error("the definition uses `${{{name}}}`, but `{machine}` has no such substitution")]
    MissingSubstitution {
        /// The name in the braces.
        name: String,
        /// The state machine's logical id.
        machine: String,
    },
    /// A definition calls a Lambda function that the template does not have.
    #[error("the state machine calls the function `{name}`, which the template does not have")]
    UnknownFunction {
        /// The function's name.
        name: String,
    },
    /// Two resources of one service have the same name.
    #[error("`{first}` and `{second}` have the same name, `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
        /// The logical id that has it first.
        first: String,
        /// The other logical id.
        second: String,
    },
}

impl ProblemKind {
    fn code(&self) -> &'static str {
        match self {
            Self::UnreadableFile { .. } => "unreadable-file",
            Self::Syntax { .. } => "syntax",
            Self::NoTemplate { .. } => "no-template",
            Self::UnknownSection { .. } => "unknown-section",
            Self::MissingTransform => "missing-transform",
            Self::WrongType { .. } => "wrong-type",
            Self::MissingProperty { .. } => "missing-property",
            Self::UnknownProperty { .. } => "unknown-property",
            Self::UnknownType { .. } => "unknown-type",
            Self::UnknownParameter { .. } => "unknown-parameter",
            Self::MissingParameter { .. } => "missing-parameter",
            Self::ParameterValue { .. } => "parameter-value",
            Self::UnknownReference { .. } => "unknown-reference",
            Self::ConditionalResource { .. } => "conditional-resource",
            Self::UnknownAttribute { .. } => "unknown-attribute",
            Self::CircularReference { .. } => "circular-reference",
            Self::UnsupportedFunction { .. } => "unsupported-function",
            Self::FunctionArguments { .. } => "function-arguments",
            Self::DynamicReference { .. } => "dynamic-reference",
            Self::UnsupportedValue { .. } => "unsupported-value",
            Self::MissingCode { .. } => "missing-code",
            Self::MissingBinary { .. } => "missing-binary",
            Self::UnnamedBinary { .. } => "unnamed-binary",
            Self::MissingSubstitution { .. } => "missing-substitution",
            Self::UnknownFunction { .. } => "unknown-function",
            Self::DuplicateName { .. } => "duplicate-name",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnknownProperty { suggestion: Some(name), .. }
            | Self::UnknownType { suggestion: Some(name), .. }
            | Self::UnknownParameter { suggestion: Some(name), .. }
            | Self::UnknownAttribute { suggestion: Some(name), .. }
            | Self::UnknownReference { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::NoTemplate { .. } => Some("name the template that has it as its `DefinitionUri`".to_owned()),
            Self::MissingTransform => Some("add the transform at the top of the template".to_owned()),
            Self::UnknownParameter { known, .. } if known.is_empty() => Some("it has no parameters at all".to_owned()),
            Self::UnknownParameter { known, .. } => Some(format!("its parameters are: {}", known.join(", "))),
            Self::MissingParameter { name } => {
                Some(format!("give it a `Default`, or pass `--parameter-overrides {name}=VALUE`"))
            }
            Self::UnknownAttribute { .. } | Self::DynamicReference { .. } => {
                Some("make it a parameter of the template, with a default that works on this machine".to_owned())
            }
            Self::ConditionalResource { condition, .. } => {
                Some(format!("refer to it within `Fn::If: [{condition}, …]`"))
            }
            Self::MissingBinary { available, .. } | Self::UnnamedBinary { available, .. } if available.is_empty() => {
                Some("add a `src/main.rs` to the package".to_owned())
            }
            Self::MissingBinary { available, .. } | Self::UnnamedBinary { available, .. } => {
                let names = available.join(", ");
                Some(format!("name one in `Metadata.BuildProperties.Binary`; the package has: {names}"))
            }
            Self::MissingSubstitution { name, machine } => {
                Some(format!("add `{name}` to `DefinitionSubstitutions` of `{machine}`"))
            }
            Self::UnknownFunction { .. } => {
                Some("a state machine can call only functions of its own template here".to_owned())
            }
            _ => None,
        }
    }
}
