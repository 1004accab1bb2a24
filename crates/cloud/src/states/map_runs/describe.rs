//! Map Runs as the API describes them.

use asl::{Value, value::Object};
use engine::history::epoch_seconds;

use super::Kept;

impl Kept {
    /// An element of `ListMapRuns`.
    pub(in crate::states) fn summary(&self) -> Object {
        let mut fields = Object::from_iter([
            ("executionArn".into(), Value::from(self.execution_arn.clone())),
            ("mapRunArn".into(), self.arn.clone().into()),
            ("stateMachineArn".into(), self.state_machine_arn.clone().into()),
            ("startDate".into(), epoch_seconds(self.started_at)),
        ]);
        fields.extend(self.progress().stopped_at.map(|at| ("stopDate".into(), epoch_seconds(at))));
        fields
    }

    /// The answer of `DescribeMapRun`.
    pub(in crate::states) fn describe(&self) -> Value {
        let (limits, progress) = (*self.limits.borrow(), *self.progress());
        let percentage = limits.tolerance.percentage.unwrap_or(0.0);
        let percentage = asl::value::Number::from_f64(percentage).map_or(Value::Null, Value::Number);
        let mut fields = Object::from_iter([
            ("mapRunArn".into(), Value::from(self.arn.clone())),
            ("executionArn".into(), self.execution_arn.clone().into()),
            ("status".into(), progress.status.name().into()),
            ("startDate".into(), epoch_seconds(self.started_at)),
            ("maxConcurrency".into(), limits.max_concurrency.into()),
            ("toleratedFailurePercentage".into(), percentage),
            ("toleratedFailureCount".into(), limits.tolerance.count.unwrap_or(0).into()),
            ("itemCounts".into(), progress.items.describe()),
            ("executionCounts".into(), progress.executions.describe()),
            ("redriveCount".into(), Value::from(0_u64)),
        ]);
        fields.extend(progress.stopped_at.map(|at| ("stopDate".into(), epoch_seconds(at))));
        fields.into()
    }
}
