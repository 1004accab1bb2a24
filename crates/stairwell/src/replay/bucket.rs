//! The S3 of a transcript: what executions put into it can be looked at, as whoever recorded it did.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use asl::{Fault, Value, machine::Resource, value::Object};
use cloud::{s3::S3, states::call_service};
use engine::{Identity, core::Call, run::Answer};
use tokio::sync::mpsc;

/// The name of S3 in resources.
const SERVICE: &str = "aws-sdk:s3";

/// An S3 that has every bucket that a task names: a transcript does not show how buckets come.
#[derive(Default)]
pub(super) struct Buckets {
    s3: OnceLock<Option<Arc<S3>>>,
    /// The call that put an object last.
    put: Mutex<Option<(Arc<Identity>, Call)>>,
}

impl Buckets {
    /// Answers a call, if it is one of S3.
    pub(super) fn call(&self, execution: &Arc<Identity>, call: &Call) -> Option<Answer> {
        let Resource::Service { service, action, .. } = &call.resource else { return None };
        let s3 = (**service == *SERVICE).then(|| self.s3())??;
        let bucket = call.input.get("Bucket").and_then(Value::as_str)?;
        s3.create_bucket_if_absent(bucket, false).ok()?;
        if &**action == "putObject" {
            *self.put.lock().unwrap_or_else(PoisonError::into_inner) = Some((execution.clone(), call.clone()));
        }
        let answer = call_service(&s3, execution, call)?;
        Some(Box::pin(async move { Ok(answer.await?) }))
    }

    /// What `GetObject` answers for the object that was put last.
    pub(super) async fn last_object(&self) -> Option<Result<Value, Fault>> {
        let (execution, put) = self.put.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let Resource::Service { service, pattern, .. } = put.resource else { return None };
        let resource = Resource::Service { arn: put.state.clone(), service, action: "getObject".into(), pattern };
        let parameters = ["Bucket", "Key"].map(|name| Some((name.into(), put.input.get(name)?.clone())));
        let input = parameters.into_iter().collect::<Option<Object>>()?.into();
        let get = Call { resource, input, ..put };
        Some(call_service(&self.s3()?, &execution, &get)?.await)
    }

    fn s3(&self) -> Option<Arc<S3>> {
        let open = || S3::ephemeral(mpsc::unbounded_channel().0).ok().map(Arc::new);
        self.s3.get_or_init(open).clone()
    }
}
