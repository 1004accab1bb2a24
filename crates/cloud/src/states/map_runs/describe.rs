//! Map Runs as the API describes them.

use asl::{Value, value::Object};
use engine::history::epoch_seconds;

use super::kept::{About, Record};
use crate::states::page;

impl Record {
    /// Its place in a list: by its age, and among those of one moment by its ARN.
    pub(in crate::states) fn place(&self) -> String {
        page::place(self.about.started_at, &self.about.arn)
    }

    /// An element of `ListMapRuns`.
    pub(in crate::states) fn summary(&self) -> Object {
        let About { arn, execution_arn, state_machine_arn, started_at, .. } = &self.about;
        let mut fields = Object::from_iter([
            ("executionArn".into(), Value::from(execution_arn.clone())),
            ("mapRunArn".into(), arn.clone().into()),
            ("stateMachineArn".into(), state_machine_arn.clone().into()),
            ("startDate".into(), epoch_seconds(*started_at)),
        ]);
        fields.extend(self.progress.stopped_at.map(|at| ("stopDate".into(), epoch_seconds(at))));
        fields
    }

    /// The answer of `DescribeMapRun`.
    pub(in crate::states) fn describe(&self) -> Value {
        let Self { about, limits, progress } = self;
        let percentage = limits.tolerance.percentage.unwrap_or(0.0);
        let percentage = asl::value::Number::from_f64(percentage).map_or(Value::Null, Value::Number);
        let mut fields = Object::from_iter([
            ("mapRunArn".into(), Value::from(about.arn.clone())),
            ("executionArn".into(), about.execution_arn.clone().into()),
            ("status".into(), progress.status.name().into()),
            ("startDate".into(), epoch_seconds(about.started_at)),
            ("maxConcurrency".into(), limits.max_concurrency.into()),
            ("toleratedFailurePercentage".into(), percentage),
            ("toleratedFailureCount".into(), limits.tolerance.count.unwrap_or(0).into()),
            ("itemCounts".into(), progress.items.describe()),
            ("executionCounts".into(), progress.executions.describe()),
            ("redriveCount".into(), about.redrives.into()),
        ]);
        fields.extend(about.redriven_at.map(|at| ("redriveDate".into(), epoch_seconds(at))));
        fields.extend(progress.stopped_at.map(|at| ("stopDate".into(), epoch_seconds(at))));
        fields.into()
    }
}
