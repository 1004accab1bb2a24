//! The differences of one stretch of keys.

use aws_sdk_s3::Client;
use function_kit::ServiceError;
use serde::Serialize;

use crate::listing::Object;

/// What there is to do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Copy,
    Delete,
    Keep,
}

/// A line of a report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    action: Action,
    key: &'a str,
    size: i64,
    e_tag: &'a str,
}

/// The lines to write, and how many objects there are of each kind.
#[derive(Debug, Default)]
pub(crate) struct Part {
    changes: String,
    kept: String,
    pub(crate) copy: u64,
    pub(crate) copy_bytes: u64,
    pub(crate) delete: u64,
    pub(crate) keep: u64,
    pub(crate) same: u64,
}

impl Part {
    pub(crate) fn add(&mut self, action: Action, object: &Object) {
        let line = Line { action, key: &object.key, size: object.size, e_tag: &object.e_tag };
        let (lines, count) = match action {
            Action::Copy => {
                self.copy_bytes += u64::try_from(object.size).unwrap_or_default();
                (&mut self.changes, &mut self.copy)
            }
            Action::Delete => (&mut self.changes, &mut self.delete),
            Action::Keep => (&mut self.kept, &mut self.keep),
        };
        *count += 1;
        // Text and numbers can always be written.
        lines.push_str(&serde_json::to_string(&line).unwrap_or_default());
        lines.push('\n');
    }

    /// How many lines there are.
    pub(crate) fn differences(&self) -> u64 {
        self.copy + self.delete + self.keep
    }

    /// Writes the lines under the prefix; no object where there are none.
    pub(crate) async fn write(
        &mut self,
        s3: &Client,
        bucket: &str,
        report: &str,
        part: u32,
    ) -> Result<(), ServiceError> {
        for (folder, lines) in [("changes", &mut self.changes), ("kept", &mut self.kept)] {
            if lines.is_empty() {
                continue;
            }
            s3.put_object()
                .bucket(bucket)
                .key(format!("{report}{folder}/{part:06}.jsonl"))
                .content_type("application/jsonl")
                .body(std::mem::take(lines).into_bytes().into())
                .send()
                .await
                .map_err(|error| ServiceError::new("PutObject", &error))?;
        }
        Ok(())
    }
}
