//! Replays executions whose machine logs them, and compares the log.

use std::{collections::HashSet, sync::Arc, time::Duration};

use asl::{Value, value::Object};

use super::{
    Unequal,
    api::as_recorded,
    case::{Case, Logging},
    stage::Stage,
    synchronous::{answer, create, names, outside},
};

/// The log group of a replay.
const GROUP: &str = "replayed";

/// How long an execution may go on: time costs nothing.
const LONG: Duration = Duration::from_hours(24 * 366);

/// Compares every event in the log: as many executions are started, one after the other, as the recorded log tells of.
pub(super) fn replay_all(case: &Case) -> Result<(), Unequal> {
    let arn = |event: &Value| event.get("execution_arn").and_then(Value::as_str).map(str::to_owned);
    let executions = case.log_events.iter().filter_map(arn).collect::<HashSet<_>>().len();
    let logged = logged(case, &case.logging, executions)?;
    compare(case, &case.log_events, &logged)
}

/// Compares the last event in the log.
pub(super) fn replay_last(case: &Case) -> Result<(), Unequal> {
    let everything = Logging { level: Some("ALL".into()), include_execution_data: Some(true) };
    let logged = logged(case, &everything, 1)?;
    let last = logged.last().ok_or_else(|| Unequal::Difference("nothing is logged".into()))?;
    compare(case, std::slice::from_ref(&case.end_event), std::slice::from_ref(last))
}

/// What is in the log after executions of a case.
fn logged(case: &Case, logging: &Logging, executions: usize) -> Result<Vec<Value>, Unequal> {
    let stage = Stage::new(outside(case)).map_err(Unequal::Difference)?;
    stage.has_log_group(GROUP);
    let machine = create(&stage, case, configuration(logging))?;
    for _ in 0..executions {
        let request = [("stateMachineArn", Value::from(machine.as_str())), ("input", case.input.to_string().into())];
        answer(&stage, "StartExecution", &Value::from(request))?;
        stage.wait(LONG);
    }
    stage.logged(GROUP).map_err(Unequal::Difference)
}

fn configuration(logging: &Logging) -> Object {
    let arn = format!("arn:aws:logs:us-east-1:111111111111:log-group:{GROUP}:*");
    let group = Value::from([("logGroupArn", arn.into())]);
    let destination = Value::from([("cloudWatchLogsLogGroup", group)]);
    let mut fields = Object::from_iter([("destinations".into(), vec![destination].into())]);
    fields.extend(logging.level.as_deref().map(|level| ("level".into(), level.into())));
    fields.extend(logging.include_execution_data.map(|included| ("includeExecutionData".into(), included.into())));
    Object::from_iter([("loggingConfiguration".into(), fields.into())])
}

fn compare(case: &Case, recorded: &[Value], logged: &[Value]) -> Result<(), Unequal> {
    let found: Vec<_> = logged.iter().map(as_recorded).collect();
    let compared = names(case).compare("log", &Value::from(recorded.to_vec()), &Value::Array(Arc::new(found)));
    compared.map_err(|difference| Unequal::Difference(difference.to_string()))
}
