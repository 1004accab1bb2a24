//! The dimensions of a metric.

use std::collections::BTreeMap;
use std::str::FromStr;

use aws_sdk_cloudwatch::types::Dimension;
use serde::Serialize;

/// `CloudWatch` takes as many for one metric.
const MOST: usize = 30;

/// Names and values that tell one metric from others of its name, read from `Name=value,Name=value`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dimensions(BTreeMap<String, String>);

/// A text that lists no dimensions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDimensions {
    /// A part between commas has no `=`, or nothing on one of its sides.
    #[error("{0:?} is not of the form Name=value")]
    Form(String),
    /// A name or a value is longer than 255 characters, or has one that is not printable ASCII, or a name starts with a
    /// colon.
    #[error("{0:?} is not 1 to 255 printable ASCII characters, the first one of a name no colon")]
    Text(String),
    /// Two dimensions have one name.
    #[error("{0} is there twice")]
    Twice(String),
    /// More than a metric may have.
    #[error("there are {0}, and a metric may have 30")]
    TooMany(usize),
}

impl Dimensions {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The dimensions as the client takes them.
    pub(crate) fn to_sdk(&self) -> Vec<Dimension> {
        let dimension = |(name, value)| Dimension::builder().name(name).value(value).build();
        self.0.iter().map(dimension).collect()
    }
}

impl FromStr for Dimensions {
    type Err = NotDimensions;

    fn from_str(text: &str) -> Result<Self, NotDimensions> {
        let mut dimensions = BTreeMap::new();
        for part in text.split(',').map(str::trim) {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) if !name.is_empty() && !value.is_empty() => (name, value),
                _ => return Err(NotDimensions::Form(part.to_owned())),
            };
            for side in [name, value] {
                let printable = side.chars().all(|c| c.is_ascii_graphic() || c == ' ');
                if !printable || side.len() > 255 || name.starts_with(':') {
                    return Err(NotDimensions::Text(side.to_owned()));
                }
            }
            if dimensions.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(NotDimensions::Twice(name.to_owned()));
            }
        }
        if dimensions.len() > MOST {
            return Err(NotDimensions::TooMany(dimensions.len()));
        }
        Ok(Self(dimensions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_read() {
        let dimensions: Dimensions = "Stage=dev, Application=a=b".parse().unwrap();
        let pairs: Vec<_> = dimensions.0.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("Application", "a=b"), ("Stage", "dev")]);
    }

    #[test]
    fn other_text_is_refused_with_the_reason() {
        let many: Vec<String> = (0..31).map(|n| format!("D{n}=x")).collect();
        for (text, error) in [
            ("Stage", NotDimensions::Form("Stage".to_owned())),
            ("Stage=", NotDimensions::Form("Stage=".to_owned())),
            ("A=1,,B=2", NotDimensions::Form(String::new())),
            (":A=1", NotDimensions::Text(":A".to_owned())),
            ("A=é", NotDimensions::Text("é".to_owned())),
            ("A=1,A=2", NotDimensions::Twice("A".to_owned())),
            (&many.join(","), NotDimensions::TooMany(31)),
        ] {
            assert_eq!(text.parse::<Dimensions>(), Err(error), "{text}");
        }
    }
}
