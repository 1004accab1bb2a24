//! Who the executions of the benchmarks are.

use std::sync::Arc;

use asl::Value;
use engine::Identity;
use time::OffsetDateTime;

/// An execution of a number, which began now.
pub(crate) fn identity(number: u64, input: Value) -> Identity {
    Identity {
        arn: format!("arn:aws:states:us-east-1:123456789012:execution:bench:{number:0>36}").into(),
        name: format!("{number:0>36}").into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:bench".into(),
        state_machine_name: "bench".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        revision: Arc::default(),
        role_arn: "arn:aws:iam::123456789012:role/bench".into(),
        region: "us-east-1".into(),
        started_at: OffsetDateTime::now_utc(),
        input,
        map_run_arn: None,
        item_count: None,
        trace_header: None,
        mocked: None,
        seed: number,
    }
}
