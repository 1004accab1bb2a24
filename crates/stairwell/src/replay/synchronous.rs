//! Replays a synchronous Express execution through the API, and compares its answer.

use asl::{Fault, Value, value::Object};

use super::{
    Unequal,
    api::as_recorded,
    case::Case,
    names::Names,
    stage::{Outside, Said, Stage, is_not_supported},
    text::Leniency,
};

/// The name of the machine that is replayed.
const NAME: &str = "Replayed";

/// Its role, and what a recording says in its place.
const ROLE: &str = "arn:aws:iam::111111111111:role/Replayed";
const RECORDED_ROLES: [&str; 2] = ["sfn_role_arn", "snf_role_arn"];

/// Starts the execution, and compares what is answered at its end.
pub(super) fn replay(case: &Case) -> Result<(), Unequal> {
    let stage = Stage::new(outside(case)).map_err(Unequal::Difference)?;
    let arn = create(&stage, case, Object::new())?;
    let request = [("stateMachineArn", arn.into()), ("input", case.input.to_string().into())];
    let answer = answer(&stage, "StartSyncExecution", &Value::from(request))?;
    let recorded = without(&case.response, "ResponseMetadata");
    let answer = billed_as(&recorded, &as_recorded(&answer));
    let compared = names(case).compare("answer", &recorded, &answer);
    compared.map_err(|difference| Unequal::Difference(difference.to_string()))
}

/// What is known of a recording's placeholders before it is compared.
pub(super) fn names(case: &Case) -> Names {
    let redrive_count = case.notes.nondeterminism.iter().any(|kind| kind == "context-values");
    let mut names = Names::new(Leniency { redrive_count, ..Leniency::default() });
    for recorded in RECORDED_ROLES {
        names.learn(recorded, ROLE);
    }
    names
}

/// The outside of an execution. The recording has no history: what a function answered is known from the execution's
/// end, be it an error that was caught, one that was not, or the answer itself.
pub(super) fn outside(case: &Case) -> Outside {
    Outside::answering(case.ending.as_ref().and_then(|ending| {
        let text = |key: &str| ending.output.as_ref()?.get(key).and_then(Value::as_str).map(Into::into);
        let caught = Fault { error: text("Error"), cause: text("Cause") };
        match (ending.status.as_str(), &ending.output) {
            ("FAILED", _) => Some(Err(ending.fault())),
            (_, Some(Value::Object(output)))
                if output.len() == 2 && caught.error.is_some() && caught.cause.is_some() =>
            {
                Some(Err(caught))
            }
            ("SUCCEEDED", Some(output)) => Some(Ok(output.clone())),
            _ => None,
        }
    }))
}

/// Creates the machine of a case, with these further parameters. Returns its ARN.
pub(super) fn create(stage: &Stage, case: &Case, more: Object) -> Result<String, Unequal> {
    let mut request = Object::from_iter([
        ("name".into(), Value::from(NAME)),
        ("definition".into(), case.definition.to_string().into()),
        ("roleArn".into(), ROLE.into()),
    ]);
    request.extend(case.kind.as_deref().map(|kind| ("type".into(), kind.into())));
    request.extend(more);
    let created = answer(stage, "CreateStateMachine", &request.into())?;
    Ok(created.get("stateMachineArn").and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// What is answered to a call that must be taken.
pub(super) fn answer(stage: &Stage, operation: &str, request: &Value) -> Result<Value, Unequal> {
    match stage.call(operation, request).map_err(Unequal::Difference)? {
        Said::Answer(answer) => Ok(answer),
        Said::Refusal { code, message } if is_not_supported(&code, &message) => Err(Unequal::NotSupported(message)),
        Said::Refusal { code, message } => Err(Unequal::Difference(format!("{operation}: {code}: {message}"))),
        Said::Nothing => Err(Unequal::Difference(format!("{operation} is never answered"))),
    }
}

/// The answer with the recorded duration in place of its own, if that can be one: it depends on the clock.
fn billed_as(recorded: &Value, answer: &Value) -> Value {
    const DURATION: &str = "billedDurationInMilliseconds";
    let of = |value: &Value| value.get("billingDetails").and_then(|details| details.get(DURATION).cloned());
    let billed = of(answer).and_then(|duration| duration.as_i64());
    if !billed.is_some_and(|billed| billed > 0 && billed % 100 == 0) {
        return answer.clone();
    }
    let Value::Object(fields) = answer else { return answer.clone() };
    let mut fields = Object::clone(fields);
    if let (Some(Value::Object(details)), Some(duration)) = (fields.get_mut("billingDetails"), of(recorded)) {
        std::sync::Arc::make_mut(details).insert(DURATION.into(), duration);
    }
    fields.into()
}

/// An object without a field.
fn without(value: &Value, name: &str) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let kept = fields.iter().filter(|(key, _)| &***key != name);
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>().into()
}
