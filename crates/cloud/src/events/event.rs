//! Events as `EventBridge` gives them to targets.

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// A UUID.
    pub id: String,
    /// The name of the bus that it goes to.
    pub bus: String,
    /// Whose event it is: `aws.s3`.
    pub source: String,
    /// What kind of event it is: `Object Created`.
    pub detail_type: String,
    /// The ARNs of what it is about.
    pub resources: Vec<String>,
    /// What it tells, an object.
    pub detail: Value,
    /// When it happened.
    pub at: OffsetDateTime,
}

impl Event {
    /// An event of one of AWS's own services, for the default bus.
    pub fn of_service(
        source: &str,
        detail_type: &str,
        resource: impl Into<String>,
        detail: Value,
        at: OffsetDateTime,
    ) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            bus: super::DEFAULT_BUS.to_owned(),
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            resources: vec![resource.into()],
            detail,
            at,
        }
    }

    /// As a target gets it, and as a pattern sees it.
    pub fn to_json(&self, region: &str, account: &str) -> Value {
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": account,
            "time": self.at.replace_nanosecond(0).unwrap_or(self.at).format(&Rfc3339).unwrap_or_default(),
            "region": region,
            "resources": self.resources,
            "detail": self.detail,
        })
    }
}
