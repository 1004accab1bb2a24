//! What the SDK tells of a call beside its answer, which the optimised integrations give on.

use asl::{Value, value::Object};

/// A header of the response.
pub(super) struct Header<'a>(pub(super) &'static str, pub(super) &'a str);

/// An answer with `SdkHttpMetadata` and `SdkResponseMetadata`.
pub(super) fn with_metadata<const N: usize>(
    answer: [(&'static str, Value); N],
    headers: &[Header<'_>],
    request_id: &str,
) -> Value {
    let one = headers.iter().map(|Header(name, value)| ((*name).into(), Value::from(*value)));
    let lists = headers.iter().map(|Header(name, value)| ((*name).into(), Value::from(vec![Value::from(*value)])));
    let http = Value::from([
        ("AllHttpHeaders", Value::from(lists.collect::<Object>())),
        ("HttpHeaders", Value::from(one.collect::<Object>())),
        ("HttpStatusCode", Value::from(200_u64)),
    ]);
    let mut fields: Object = answer.into_iter().map(|(name, value)| (name.into(), value)).collect();
    fields.insert("SdkHttpMetadata".into(), http);
    fields.insert("SdkResponseMetadata".into(), Value::from([("RequestId", Value::from(request_id))]));
    fields.into()
}
