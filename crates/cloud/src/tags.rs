//! Tags of resources: kept and told again, within the limits that the services have in common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::protocol::Failure;

/// How many tags a resource has at most.
const MOST: usize = 50;

/// How many characters a key and a value have at most.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// The tags of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tags(BTreeMap<String, String>);

/// A tag of a request, as most services write it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// What a service calls tags that it does not take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusals {
    /// There would be too many.
    pub(crate) too_many: &'static str,
    /// One is none.
    pub(crate) invalid: &'static str,
}

impl From<Tag> for (String, String) {
    fn from(tag: Tag) -> Self {
        (tag.key, tag.value)
    }
}

impl Tags {
    /// The tags of a resource that is made.
    pub(crate) fn of_new<T: Into<(String, String)>>(
        tags: impl IntoIterator<Item = T>,
        refusals: Refusals,
    ) -> Result<Self, Failure> {
        let mut made = Self::default();
        made.add(tags, refusals)?;
        Ok(made)
    }

    /// Adds tags; one with a key that is there takes its place. All are added, or none.
    pub(crate) fn add<T: Into<(String, String)>>(
        &mut self,
        tags: impl IntoIterator<Item = T>,
        refusals: Refusals,
    ) -> Result<(), Failure> {
        let mut all = self.0.clone();
        for (key, value) in tags.into_iter().map(Into::into) {
            let is_key = (1..=LONGEST_KEY).contains(&key.chars().count()) && !key.starts_with("aws:");
            if !is_key || value.chars().count() > LONGEST_VALUE {
                let message = format!(
                    "The tag {key:?} can't be: a key has 1 to {LONGEST_KEY} characters and does not begin with \"aws:\", a \
                     value has at most {LONGEST_VALUE}."
                );
                return Err(Failure::new(refusals.invalid, message));
            }
            all.insert(key, value);
        }
        if all.len() > MOST {
            return Err(Failure::new(refusals.too_many, format!("A resource has at most {MOST} tags.")));
        }
        self.0 = all;
        Ok(())
    }

    /// Removes the tags with these keys; keys that are not there don't matter.
    pub(crate) fn remove(&mut self, keys: &[String]) {
        self.0.retain(|key, _| !keys.contains(key));
    }

    /// The value of a tag.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a list of keys and values.
    pub(crate) fn list(&self) -> Value {
        self.0.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
    }

    /// As a map.
    pub(crate) fn map(&self) -> Value {
        json!(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSALS: Refusals = Refusals { too_many: "TooMany", invalid: "Invalid" };

    fn tag(key: impl Into<String>, value: &str) -> (String, String) {
        (key.into(), value.to_owned())
    }

    #[test]
    fn tags_are_added_all_or_none() {
        let mut tags = Tags::of_new((0..49).map(|number| tag(number.to_string(), "")), REFUSALS).unwrap();
        for (added, code) in [
            (vec![tag("a", ""), tag("b", "")], "TooMany"),
            (vec![tag("a", ""), tag("", "")], "Invalid"),
            (vec![tag("aws:a", "")], "Invalid"),
            (vec![tag("a", &"v".repeat(257))], "Invalid"),
        ] {
            assert_eq!(tags.add(added, REFUSALS).unwrap_err().code, code);
            assert_eq!(tags.get("a"), None);
        }
        tags.add([tag("a", "1"), tag("7", "one more")], REFUSALS).unwrap();
        tags.remove(&["8".to_owned(), "none".to_owned()]);
        assert_eq!((tags.get("a"), tags.get("7"), tags.get("8")), (Some("1"), Some("one more"), None));
    }
}
