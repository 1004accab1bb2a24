//! What the services refuse of what a template describes.

use cloud::{
    dynamodb::DynamoDbError,
    events::EventsError,
    lambda::ConfigError,
    local::{LocalCloud, Options, StartError},
    mappings::MappingsError,
    scheduler::SchedulerError,
    sns::SnsError,
    sqs::SqsError,
};
use sam::Application;

use crate::problems::Problem;

/// All that is refused, in the order of the template. The local cloud is started with the application and stopped; what it refuses is taken out, and it is
/// started once more. Nothing is built, called or kept.
pub async fn refused(mut application: Application) -> Vec<Problem> {
    let mut problems = Vec::new();
    loop {
        let never_called = std::env::current_exe().unwrap_or_default();
        let functions = application.functions.iter();
        let executables = functions.map(|function| (function.name.clone(), never_called.clone())).collect();
        match LocalCloud::start(&application, &executables, Options::default()).await {
            Ok(cloud) => {
                cloud.shutdown().await;
                break;
            }
            Err(error) => {
                let taken = take_out(&mut application, &error);
                problems.push(problem(&application, &error, taken.as_deref()));
                if taken.is_none() {
                    break;
                }
            }
        }
    }
    problems.sort_by_key(Problem::offset);
    problems
}

/// What was refused when an application was started, with its place; none where it was no part of the application.
pub fn refusal(application: &Application, error: &StartError) -> Option<Problem> {
    let name = take_out(&mut application.clone(), error)?;
    Some(problem(application, error, Some(&name))).filter(Problem::is_of_the_project)
}

fn problem(application: &Application, error: &StartError, name: Option<&str>) -> Problem {
    Problem::of_start(error, name.and_then(|name| application.locate_resource(name)))
}

/// Takes out of an application what could not be started, with as little else as can be. Gives its name, where there is
/// something to take out.
fn take_out(application: &mut Application, error: &StartError) -> Option<String> {
    match error {
        StartError::DynamoDb(DynamoDbError::Table { table, .. }) => {
            remove(&mut application.tables, |one| one.name == *table).map(|one| one.logical_id)
        }
        StartError::Sqs(SqsError::Queue { queue, .. }) => {
            // Others may send to it: it stays, as a queue with nothing special.
            let is_special = |name: &String| name != "FifoQueue";
            let queue = application.queues.iter_mut().find(|one| one.name == *queue)?;
            queue.attributes.keys().any(is_special).then_some(())?;
            queue.attributes.retain(|name, _| !is_special(name));
            Some(queue.logical_id.clone())
        }
        StartError::Sns(SnsError::Subscription { subscription, .. }) => {
            remove(&mut application.subscriptions, |one| one.logical_id == *subscription).map(|one| one.logical_id)
        }
        StartError::Events(EventsError::Rule(error)) => {
            remove(&mut application.rules, |one| one.name == error.rule).map(|one| one.name)
        }
        StartError::Scheduler(SchedulerError::Schedule { schedule, .. }) => {
            remove(&mut application.schedules, |one| one.name == *schedule).map(|one| one.name)
        }
        StartError::Mappings(MappingsError::Filter { mapping, .. }) => {
            remove(&mut application.event_source_mappings, |one| one.name == *mapping).map(|one| one.name)
        }
        StartError::Lambda(ConfigError::Reserved { function, .. }) => {
            let function = application.functions.iter_mut().find(|one| one.name == *function)?;
            function.reserved_concurrency.take().map(|_| function.logical_id.clone())
        }
        _ => None,
    }
}

fn remove<T>(all: &mut Vec<T>, is: impl Fn(&T) -> bool) -> Option<T> {
    all.iter().position(is).map(|index| all.remove(index))
}
