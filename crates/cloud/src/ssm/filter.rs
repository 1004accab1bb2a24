//! Which parameters a client wants to be told of.
//!
//! Source: the Systems Manager API reference, `ParameterStringFilter` and `ParametersFilter`.

use serde::Deserialize;

use super::{Parameter, is_below};
use crate::protocol::Failure;

/// A filter of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Given {
    key: String,
    option: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

/// A filter of the older kind, whose values are beginnings of names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OlderGiven {
    key: String,
    values: Vec<String>,
}

/// What lets some parameters through: those that fit with one of its values.
#[derive(Debug)]
pub(super) enum Filter {
    /// By a text that is said of a parameter.
    Text { of: Text, comparison: Comparison, values: Vec<String> },
    /// By the paths that it is below.
    Below { paths: Vec<String>, recursive: bool },
    /// By a tag; without values by its key alone.
    Tag { key: String, values: Vec<String> },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    Name,
    Type,
    KeyId,
    Tier,
    DataType,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equals,
    BeginsWith,
    Contains,
}

impl Filter {
    pub(super) fn read(given: Given) -> Result<Self, Failure> {
        let Given { key, option, values } = given;
        if values.is_empty() && !key.starts_with("tag:") {
            return Err(Failure::new("InvalidFilterValue", format!("The filter {key} has no values.")));
        }
        let bad_option = |option: &str| {
            let message = format!("The filter option {option} is not valid for the filter {key}.");
            Failure::new("InvalidFilterOption", message)
        };
        if let Some(tag) = key.strip_prefix("tag:") {
            return match option.as_deref() {
                None | Some("Equals") => Ok(Self::Tag { key: tag.to_owned(), values }),
                Some(other) => Err(bad_option(other)),
            };
        }
        if key == "Path" {
            let recursive = match option.as_deref() {
                None | Some("OneLevel") => false,
                Some("Recursive") => true,
                Some(other) => return Err(bad_option(other)),
            };
            return Ok(Self::Below { paths: values, recursive });
        }
        let of = Text::read(&key)?;
        let comparison = match (option.as_deref(), of) {
            (None | Some("Equals"), _) => Comparison::Equals,
            (Some("BeginsWith"), _) => Comparison::BeginsWith,
            (Some("Contains"), Text::Name) => Comparison::Contains,
            (Some(other), _) => return Err(bad_option(other)),
        };
        Ok(Self::Text { of, comparison, values })
    }

    pub(super) fn read_older(given: OlderGiven) -> Result<Self, Failure> {
        let of = Text::read(&given.key)?;
        let comparison = if matches!(of, Text::Name) { Comparison::BeginsWith } else { Comparison::Equals };
        Ok(Self::Text { of, comparison, values: given.values })
    }

    pub(super) fn lets_through(&self, name: &str, parameter: &Parameter) -> bool {
        match self {
            Self::Text { of, comparison, values } => {
                of.look(name, parameter).is_some_and(|text| values.iter().any(|value| comparison.holds(text, value)))
            }
            Self::Below { paths, recursive } => paths.iter().any(|path| is_below(name, path, *recursive)),
            Self::Tag { key, values } => parameter
                .tags
                .get(key)
                .is_some_and(|value| values.is_empty() || values.iter().any(|wanted| wanted == value)),
        }
    }
}

impl Text {
    fn read(key: &str) -> Result<Self, Failure> {
        Ok(match key {
            "Name" => Self::Name,
            "Type" => Self::Type,
            "KeyId" => Self::KeyId,
            "Tier" => Self::Tier,
            "DataType" => Self::DataType,
            other => {
                let message = format!("The filter key {other} is not valid.");
                return Err(Failure::new("InvalidFilterKey", message));
            }
        })
    }

    fn look<'p>(self, name: &'p str, parameter: &'p Parameter) -> Option<&'p str> {
        match self {
            Self::Name => Some(name),
            Self::Type => Some(&parameter.latest.kind),
            Self::KeyId => parameter.latest.key(),
            Self::Tier => Some(&parameter.latest.tier),
            Self::DataType => Some(&parameter.latest.data_type),
        }
    }
}

impl Comparison {
    fn holds(self, text: &str, value: &str) -> bool {
        match self {
            Self::Equals => text == value,
            Self::BeginsWith => text.starts_with(value),
            Self::Contains => text.contains(value),
        }
    }
}
