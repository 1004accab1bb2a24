//! Versions of a function, and the aliases that stand for them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A version of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Version {
    /// `$LATEST`: the function as it is.
    Latest,
    /// What was published under this number, which does not change.
    Published(u64),
}

impl Version {
    /// Reads `$LATEST` or a number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "$LATEST" => Some(Self::Latest),
            number => number.parse().ok().map(Self::Published),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("$LATEST"),
            Self::Published(number) => number.fmt(f),
        }
    }
}

/// A name for a version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) version: Version,
    pub(crate) description: String,
    /// The parts of the invocations, from 0 to 1, that other versions get.
    pub(crate) weights: BTreeMap<u64, f64>,
    pub(crate) revision: String,
}

impl Alias {
    /// An alias that stands for a version, and for nothing beside.
    pub(crate) fn of(version: Version) -> Self {
        Self { version, description: String::new(), weights: BTreeMap::new(), revision: Uuid::new_v4().to_string() }
    }

    /// The version that the next invocation gets.
    pub(crate) fn route(&self) -> Version {
        if self.weights.is_empty() {
            return self.version;
        }
        let mut drawn = fastrand::f64();
        for (number, weight) in &self.weights {
            if drawn < *weight {
                return Version::Published(*number);
            }
            drawn -= weight;
        }
        self.version
    }
}
