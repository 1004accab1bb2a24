//! What services answer where a call fails.

use super::Reply;

/// What DynamoDB answers to a call that fails, each with the name of the error that a function then has.
pub fn dynamodb_failures() -> [(Reply, &'static str); 8] {
    [
        (Reply::json_error(400, "ResourceNotFoundException"), "TableNotFound"),
        (Reply::json_error(400, "AccessDeniedException"), "AccessDenied"),
        (Reply::json_error(400, "ProvisionedThroughputExceededException"), "Throttled"),
        (Reply::json_error(400, "ThrottlingException"), "Throttled"),
        (Reply::json_error(500, "InternalServerError"), "ServiceUnavailable"),
        (Reply::json(200, serde_json::json!({})).cut_short(), "ServiceUnavailable"),
        (Reply::never(), "ServiceUnavailable"),
        (Reply::json_error(400, "ValidationException"), "ServiceRejected"),
    ]
}

/// What S3 answers to a call that fails and has an answer with a body, each with the name of the error that a function then
/// has.
pub fn s3_failures() -> [(Reply, &'static str); 6] {
    [
        (Reply::s3_error(404, "NoSuchBucket"), "BucketNotFound"),
        (Reply::s3_error(403, "AccessDenied"), "AccessDenied"),
        (Reply::s3_error(503, "SlowDown"), "Throttled"),
        (Reply::s3_error(500, "InternalError"), "ServiceUnavailable"),
        (Reply::s3_error(400, "InvalidRequest"), "ServiceRejected"),
        (Reply::body(200, "").cut_short(), "ServiceUnavailable"),
    ]
}
