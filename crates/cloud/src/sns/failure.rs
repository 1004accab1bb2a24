//! The exceptions of SNS, in its words.

use http::StatusCode;

use crate::protocol::Failure;

pub(super) fn topic_not_found() -> Failure {
    Failure::new("NotFound", "Topic does not exist").with_status(StatusCode::NOT_FOUND)
}

pub(super) fn subscription_not_found() -> Failure {
    Failure::new("NotFound", "Subscription does not exist").with_status(StatusCode::NOT_FOUND)
}

pub(super) fn resource_not_found() -> Failure {
    Failure::new("ResourceNotFound", "Resource does not exist").with_status(StatusCode::NOT_FOUND)
}

pub(super) fn invalid_parameter(reason: &str) -> Failure {
    Failure::new("InvalidParameter", format!("Invalid parameter: {reason}"))
}
