//! Settings from the environment.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

/// The environment variables of the process, read once at its start.
///
/// A variable that is set to nothing counts as not set, as templates set what has no value to the empty text.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
}

/// A setting that is missing or is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The variable is not set, or is empty.
    #[error("the environment variable {variable} is not set; it should be {expected}")]
    Missing {
        /// The variable's name.
        variable: String,
        /// What it should be, in words.
        expected: String,
    },
    /// The variable is set to something else than it should be.
    #[error("the environment variable {variable} should be {expected}: {reason}")]
    Invalid {
        /// The variable's name.
        variable: String,
        /// What it should be, in words.
        expected: String,
        /// What is wrong with its value.
        reason: String,
    },
}

impl Environment {
    /// The environment of this process. Variables that are no UTF-8 are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// An environment of these variables alone, for a test.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { variables: variables.into_iter().map(owned).collect() }
    }

    /// The text of a variable that may be left out.
    pub fn optional(&self, variable: &str) -> Option<String> {
        self.variables.get(variable).filter(|value| !value.is_empty()).cloned()
    }

    /// The text of a variable that must be there. `expected` says what it should be.
    pub fn text(&self, variable: &str, expected: &str) -> Result<String, SettingError> {
        self.optional(variable)
            .ok_or_else(|| SettingError::Missing { variable: variable.to_owned(), expected: expected.to_owned() })
    }

    /// The value of a variable that may be left out, read from its text. `expected` says what it should be.
    pub fn optional_value<T>(&self, variable: &str, expected: &str) -> Result<Option<T>, SettingError>
    where
        T: FromStr<Err: Display>,
    {
        let read = |text: String| {
            text.parse().map_err(|error: T::Err| SettingError::Invalid {
                variable: variable.to_owned(),
                expected: expected.to_owned(),
                reason: error.to_string(),
            })
        };
        self.optional(variable).map(read).transpose()
    }

    /// The value of a variable that must be there, read from its text. `expected` says what it should be.
    pub fn value<T>(&self, variable: &str, expected: &str) -> Result<T, SettingError>
    where
        T: FromStr<Err: Display>,
    {
        self.optional_value(variable, expected)?
            .ok_or_else(|| SettingError::Missing { variable: variable.to_owned(), expected: expected.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_is_named_with_what_it_should_be() {
        for environment in [Environment::default(), Environment::of([("BUCKET", "")])] {
            let error = environment.text("BUCKET", "the name of a bucket").unwrap_err();
            assert_eq!(
                error.to_string(),
                "the environment variable BUCKET is not set; it should be the name of a bucket"
            );
        }
    }

    #[test]
    fn a_wrong_setting_is_named_with_the_reason() {
        let environment = Environment::of([("LIMIT", "many")]);
        let error = environment.value::<u32>("LIMIT", "a whole number").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable LIMIT should be a whole number: invalid digit found in string"
        );
    }

    #[test]
    fn a_setting_is_read() {
        let environment = Environment::of([("LIMIT", "7"), ("BUCKET", "reports")]);
        assert_eq!(environment.value::<u32>("LIMIT", ""), Ok(7));
        assert_eq!(environment.optional_value::<u32>("OTHER", ""), Ok(None));
        assert_eq!(environment.text("BUCKET", "").as_deref(), Ok("reports"));
        assert_eq!(environment.optional("OTHER"), None);
    }
}
