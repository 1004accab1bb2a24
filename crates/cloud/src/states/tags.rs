//! Tags of state machines and activities.

use asl::Value;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::ApiError;

/// How many tags a resource can have.
const MAX_TAGS: usize = 50;

/// The tags of a resource, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tags(IndexMap<String, String>);

/// A tag of a request.
#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    key: Option<String>,
    value: Option<String>,
}

impl Tags {
    /// The tags of a resource that is made.
    pub(super) fn of_new(arn: &str, tags: Vec<Tag>) -> Result<Self, ApiError> {
        let mut made = Self::default();
        made.add(arn, tags)?;
        Ok(made)
    }

    /// Adds tags; one with a key that is there takes its place.
    pub(super) fn add(&mut self, arn: &str, tags: Vec<Tag>) -> Result<(), ApiError> {
        let mut all = self.0.clone();
        for tag in tags {
            let key = tag.key.ok_or_else(|| ApiError::validation("A tag must have a key"))?;
            all.insert(key, tag.value.unwrap_or_default());
        }
        if all.len() > MAX_TAGS {
            return Err(ApiError::new("TooManyTags", format!("Too Many Tags: '{arn}'")));
        }
        self.0 = all;
        Ok(())
    }

    /// Removes the tags with these keys; keys that are not there don't matter.
    pub(super) fn remove(&mut self, keys: &[String]) {
        self.0.retain(|key, _| !keys.contains(key));
    }

    /// As the API lists them.
    pub(super) fn describe(&self) -> Value {
        let tag = |(key, value): (&String, &String)| {
            Value::from([("key", Value::from(key.as_str())), ("value", value.as_str().into())])
        };
        self.0.iter().map(tag).collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(count: usize) -> Vec<Tag> {
        (0..count).map(|number| Tag { key: Some(number.to_string()), value: None }).collect()
    }

    #[test]
    fn a_resource_has_at_most_fifty_tags() {
        let mut made = Tags::of_new("a", tags(50)).unwrap();
        made.add("a", tags(50)).unwrap();
        let refused = made.add("a", vec![Tag { key: Some("more".into()), value: None }]).unwrap_err();
        assert_eq!(refused.code, "TooManyTags");
        made.remove(&["7".into(), "none".into()]);
        made.add("a", vec![Tag { key: Some("more".into()), value: Some("v".into()) }]).unwrap();
        assert!(made.describe().to_string().ends_with(r#"{"key":"more","value":"v"}]"#));
    }
}
