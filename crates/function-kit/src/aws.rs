//! The configuration of AWS clients.

use std::time::Duration;

use aws_config::BehaviorVersion;
pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// How many times a call is made in all before it fails. State machines retry on top of that, with longer waits.
const ATTEMPTS: u32 = 3;

/// The configuration of all clients: region, credentials and endpoint from the environment, and [`timeouts`].
pub(crate) async fn load_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}

/// The time-outs of one call: 1 s to connect, 3 s an attempt, 8 s for all attempts together. So a slow service is told by
/// the name of its operation, in the 10 s that most functions have. Several slow calls may take longer in all:
/// [`start_up`](crate::start_up) ends the invocation then, before Lambda does.
///
/// A function that moves much data sets others on its own client.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build()
}

/// Whether the clients speak to an endpoint of the environment (`AWS_ENDPOINT_URL`) and not to AWS.
///
/// An S3 client must then put the bucket into the path, for `bucket.localhost` names no host.
pub fn has_own_endpoint(config: &SdkConfig) -> bool {
    config.endpoint_url().is_some()
}
