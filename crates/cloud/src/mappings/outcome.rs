//! What came of a batch, by the answer of the function.

use std::collections::HashSet;

use serde::Deserialize;

use crate::lambda::{Invocation, InvokeError};

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The function has done with all records but these.
    Done {
        /// The ids of the records that it has failed for.
        but: HashSet<String>,
    },
    /// The function has done with none of them.
    Failed(String),
}

/// The answer of a function that reports failures of items.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: Option<String>,
}

impl Outcome {
    /// Of an invocation with the records of these ids.
    pub(super) fn of(
        invoked: Result<Invocation, InvokeError>,
        reports_item_failures: bool,
        ids: &HashSet<&str>,
    ) -> Self {
        match invoked {
            Err(error) => Self::Failed(error.to_string()),
            Ok(invocation) if invocation.failed => Self::Failed(invocation.error()),
            Ok(invocation) if reports_item_failures => Self::reported(&invocation.payload, ids),
            Ok(_) => Self::Done { but: HashSet::new() },
        }
    }

    /// An answer that says nothing is a success; one that names what was not in the batch is a failure of all of it.
    fn reported(payload: &[u8], ids: &HashSet<&str>) -> Self {
        let failures = match serde_json::from_slice::<Option<Answer>>(payload) {
            Ok(answer) => answer.and_then(|answer| answer.batch_item_failures).unwrap_or_default(),
            Err(error) => return Self::Failed(format!("the answer does not report the failures of items: {error}")),
        };
        let named = failures.into_iter().map(|failure| failure.item_identifier.filter(|id| ids.contains(id.as_str())));
        match named.collect() {
            Some(but) => Self::Done { but },
            None => Self::Failed("the answer names items that the batch did not have".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reports_which_items_have_failed() {
        let ids = HashSet::from(["a", "b"]);
        let done = |but: &[&str]| Some(Outcome::Done { but: but.iter().map(|id| (*id).to_owned()).collect() });
        for (answer, expected) in [
            ("null", done(&[])),
            ("{}", done(&[])),
            (r#"{"batchItemFailures":null}"#, done(&[])),
            (r#"{"batchItemFailures":[]}"#, done(&[])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, done(&["b"])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#, None),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, None),
            (r#"{"batchItemFailures":[{}]}"#, None),
            (r#""done""#, None),
        ] {
            let outcome = Some(Outcome::reported(answer.as_bytes(), &ids));
            assert_eq!(outcome.filter(|outcome| !matches!(outcome, Outcome::Failed(_))), expected, "{answer}");
        }
    }
}
