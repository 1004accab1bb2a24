//! Names that come from outside.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a player or a level: 1 to 128 ASCII letters, digits, `-`, `_`, `.`, `@`, `+`, `:`, the first one a letter or
/// a digit.
///
/// So it is safe as a part of an S3 key and as a DynamoDB key, as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that is no [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name: 1 to 128 letters, digits or any of -_.@+: are, the first one a letter or a digit")]
pub struct NotAName(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@+:".contains(c);
        if text.len() <= 128 && starts_well && text.chars().all(allowed) { Ok(Self(text)) } else { Err(NotAName(text)) }
    }
}

impl TryFrom<&str> for Name {
    type Error = NotAName;

    fn try_from(text: &str) -> Result<Self, NotAName> {
        Self::try_from(text.to_owned())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_text() {
        for good in ["1", "latest", "12345678901234567890", "eu-west-1:ab_c.d@e+f"] {
            assert_eq!(Name::try_from(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(129);
        for bad in ["", ".", "../x", "a/b", "#last", "a b", "a\n", "é", "<b>", long.as_str()] {
            assert_eq!(Name::try_from(bad), Err(NotAName(bad.to_owned())));
        }
    }
}
