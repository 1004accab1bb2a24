//! Calls that a mock configuration answers.

use std::sync::{Arc, Mutex, PoisonError};

use asl::{Fault, Value};
use engine::{
    Identity,
    core::{Call, Progress},
    mock::{MockConfig, TestCase},
    run::{Answer, Reports},
};
use indexmap::IndexMap;

/// Of how many executions calls are counted. The oldest are forgotten: they have long ended.
const COUNTED: usize = 100_000;

/// The mocks, and how often they have answered.
///
/// How often is not kept: what goes on after a restart of the runner is answered as if it had made no call before.
pub(super) struct Mocks {
    config: Arc<MockConfig>,
    /// By the ARNs of the executions that were started with a test case.
    under_way: Mutex<IndexMap<Arc<str>, TestCase>>,
}

impl Mocks {
    pub(super) fn new(config: Arc<MockConfig>) -> Self {
        Self { config, under_way: Mutex::default() }
    }

    /// The answer to a call of a state that is mocked.
    pub(super) fn answer(&self, execution: &Identity, call: &Call, reports: &Reports) -> Option<Answer> {
        let answer = self.next(execution, call)?;
        let (resource, progress, reports) = (call.resource.clone(), call.progress.clone(), reports.clone());
        Some(Box::pin(async move {
            if matches!(resource, asl::machine::Resource::Activity { .. }) {
                reports.scheduled().await;
                reports.started(None).await;
            }
            // Nothing is handed in: the mocked end stands for what was answered to that, too. An error is how the work ends,
            // and not that it could not be handed in.
            if resource.is_submitted() && !matches!(progress, Progress::Submitted(_)) {
                reports.submitted(answer.clone().unwrap_or_default()).await;
            }
            Ok(answer?)
        }))
    }

    fn next(&self, execution: &Identity, call: &Call) -> Option<Result<Value, Fault>> {
        let mocked = execution.mocked.as_ref()?;
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let test_case = match under_way.get_mut(&mocked.execution) {
            Some(test_case) => test_case,
            None => {
                // Another configuration may have come with a restart.
                let Some(test_case) = self.config.test_case(&mocked.machine, &mocked.test_case) else {
                    let cause = format!("The mocks have no test case '{}' any more.", mocked.test_case);
                    return Some(Err(Fault::runtime(cause)));
                };
                if under_way.len() >= COUNTED {
                    under_way.shift_remove_index(0);
                }
                under_way.entry(mocked.execution.clone()).or_insert(test_case)
            }
        };
        test_case.mocks(&call.state).then(|| test_case.answer(&call.state, &call.resource))
    }
}
