//! What the SDK tells of a call beside its answer, which the optimised integrations give on.

use asl::{Value, value::Object};

/// A header of the response.
pub(super) struct Header<'a>(pub(super) &'static str, pub(super) &'a str);

/// A good answer with `SdkHttpMetadata` and `SdkResponseMetadata`. The fields come sorted by their names.
pub(super) fn with_metadata(answer: Object, headers: &[Header<'_>], request_id: &str) -> Value {
    with_metadata_of(200, answer, headers, request_id)
}

/// An answer of any status, with the same.
pub(super) fn with_metadata_of(status: u64, mut answer: Object, headers: &[Header<'_>], request_id: &str) -> Value {
    let one = headers.iter().map(|Header(name, value)| ((*name).into(), Value::from(*value)));
    let lists = headers.iter().map(|Header(name, value)| ((*name).into(), Value::from(vec![Value::from(*value)])));
    let http = Value::from([
        ("AllHttpHeaders", Value::from(lists.collect::<Object>())),
        ("HttpHeaders", Value::from(one.collect::<Object>())),
        ("HttpStatusCode", Value::from(status)),
    ]);
    answer.insert("SdkHttpMetadata".into(), http);
    answer.insert("SdkResponseMetadata".into(), Value::from([("RequestId", Value::from(request_id))]));
    answer.sort_unstable_keys();
    answer.into()
}
