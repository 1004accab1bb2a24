//! `stairwell up`

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use cloud::{
    function_logs::{Uncalled, UncalledLog},
    lambda::{LogKind, LogLine},
    local::{LocalCloud, StartError},
};
use engine::run::Resumed;
use sam::{Api, ApiKind, Application};
use time::OffsetDateTime;
use tokio::{sync::broadcast::error::RecvError, task::JoinSet};

use crate::{
    error::Error,
    left_out,
    needed::Needed,
    project::{DEFAULT_PORT, MockArgs, ReachArgs, RunArgs, TemplateArgs, launch, take_port, tell_left},
    signals::stop_asked,
    sources::follow_sources,
    terminal::{BOLD, DIM, Display, GREEN, LogText, RED, Started, Viewer, last_part, lines, painted, print},
};

/// Keep the application running: its functions, state machines, buckets, tables, routes and triggers
///
/// Every service answers on one port. Point any AWS client at it: `AWS_ENDPOINT_URL=http://127.0.0.1:4566`,
/// any credentials, region us-east-1 (that is always so, whatever your own settings are). All functions are built first; one whose
/// sources change is built again and takes over. Stop with Ctrl-C; data stays in the data folder.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell up
  stairwell up -t service/template.yaml --parameter-overrides 'Stage=test Days=1'
  stairwell up --port 4600 --ephemeral --fast
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws s3 cp data.csv s3://BUCKET/incoming/

Exit status: 0 when it was stopped, 2 when it could not start, 130 when it was stopped before it was ready.")]
pub struct UpArgs {
    #[command(flatten)]
    template: TemplateArgs,

    /// The port of the local cloud, on the loopback address; 0 takes any free one
    #[arg(short, long, default_value_t = DEFAULT_PORT, env = "STAIRWELL_PORT")]
    port: u16,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    mocks: MockArgs,

    #[command(flatten)]
    reach: ReachArgs,

    /// JSON Lines on standard output: where it listens, then the events of every execution
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &UpArgs) -> Result<ExitCode, Error> {
    let port = take_port(args.port)?;
    let application = args.template.load_checked(&port, |_| true)?;
    let mocks = args.mocks.read()?;
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let cloud = launch(&application, Needed::All, &args.run, port, mocks, &args.reach, &mut stop).await?;
    // Before anybody can know that it is ready, so that no execution is started unseen.
    let (started, uncalled) = (cloud.states().subscribe(), cloud.logs().uncalled());
    let began = OffsetDateTime::now_utc();
    let resumed = cloud.states().resume().map_err(StartError::from)?;
    let events: usize = cloud.lambda().resume_events().values().sum();
    if args.json {
        print(ready(&application, &cloud));
    } else {
        tell(&application, &cloud, args);
    }
    tell_refused(&resumed);
    match events {
        0 => {}
        1 => crate::tell!("1 event that a function was not done with goes on"),
        count => crate::tell!("{count} events that functions were not done with go on"),
    }
    let display = if args.json { Display::Json } else { Display::Plain };
    let viewer = Viewer::new(&application, &cloud, display).with_hints(cloud.endpoint_url());
    let showing = tokio::spawn(show(started, uncalled, viewer, began, args.json));
    let following = tokio::spawn(follow_sources(cloud.lambda().clone(), application, args.run.release));
    stop.await;
    showing.abort();
    // A build that goes on ends with it.
    following.abort();
    if !args.json {
        tell_left(&cloud, &args.run);
        crate::tell!("Stopping");
    }
    cloud.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// What a program needs to know to use it.
fn ready(application: &Application, cloud: &LocalCloud) -> serde_json::Value {
    let url = cloud.endpoint_url();
    let machines = application.state_machines.iter().map(|machine| (&machine.logical_id, machine.arn.clone()));
    let functions = application.functions.iter().map(|function| (&function.logical_id, function.arn.clone()));
    let activities = application.activities.iter().map(|activity| (&activity.logical_id, activity.arn.clone()));
    let buckets = application.buckets.iter().map(|bucket| (&bucket.logical_id, bucket.name.clone()));
    let tables = application.tables.iter().map(|table| (&table.logical_id, table.name.clone()));
    let queues = application.queues.iter().map(|queue| (&queue.logical_id, queue.name.clone()));
    let topics = application.topics.iter().map(|topic| (&topic.logical_id, topic.arn.clone()));
    let apis = application.apis.iter().map(|api| (&api.logical_id, address(api, &url)));
    serde_json::json!({
        "endpointUrl": url,
        "region": sam::REGION,
        "stateMachines": machines.collect::<BTreeMap<_, _>>(),
        "functions": functions.collect::<BTreeMap<_, _>>(),
        "activities": activities.collect::<BTreeMap<_, _>>(),
        "buckets": buckets.collect::<BTreeMap<_, _>>(),
        "tables": tables.collect::<BTreeMap<_, _>>(),
        "queues": queues.collect::<BTreeMap<_, _>>(),
        "topics": topics.collect::<BTreeMap<_, _>>(),
        "apis": apis.collect::<BTreeMap<_, _>>(),
        "notEmulated": application.left_out,
    })
}

/// Where an API is: the stage of a REST API is a part of it.
fn address(api: &Api, url: &str) -> String {
    match api.kind {
        ApiKind::Rest => format!("{url}/_api/{}/{}", api.logical_id, api.stage),
        ApiKind::Http | ApiKind::FunctionUrl => format!("{url}/_api/{}", api.logical_id),
    }
}

fn tell(application: &Application, cloud: &LocalCloud, args: &UpArgs) {
    let url = cloud.endpoint_url();
    crate::tell!("{} {} {}", painted(GREEN, "✓"), painted(BOLD, "Ready at"), painted(BOLD, &url));
    let rows = |what: &str, lines: Vec<String>| {
        for (index, line) in lines.into_iter().enumerate() {
            let what = if index == 0 { what } else { "" };
            crate::tell!("  {} {line}", painted(DIM, format_args!("{what:<15}")));
        }
    };
    rows(
        "for clients",
        vec![
            format!("export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={}", sam::REGION),
            "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local".to_owned(),
        ],
    );
    rows("region", other_regions());
    rows("state machines", lines(application.state_machines.iter().map(|machine| &machine.logical_id)));
    rows("functions", lines(application.functions.iter().map(|function| &function.logical_id)));
    rows("activities", lines(application.activities.iter().map(|activity| &activity.name)));
    rows("buckets", lines(application.buckets.iter().map(|bucket| &bucket.name)));
    rows("tables", lines(application.tables.iter().map(|table| &table.name)));
    rows("queues", lines(application.queues.iter().map(|queue| &queue.name)));
    rows("topics", lines(application.topics.iter().map(|topic| last_part(&topic.arn))));
    rows("routes", application.apis.iter().flat_map(|api| routes(api, &url)).collect());
    rows("rules", lines(application.rules.iter().filter(|rule| rule.enabled).map(|rule| &rule.name)));
    rows("schedules", lines(application.schedules.iter().map(|schedule| &schedule.name)));
    let data = if args.run.ephemeral { "gone when it stops".to_owned() } else { args.run.data.display().to_string() };
    rows("data", vec![data]);
    left_out::tell_count(application.left_out.len());
    crate::tell!(
        "{}",
        painted(
            DIM,
            "A change of a function is there as soon as it is built, one of a definition or the template after a restart. Stop with Ctrl-C"
        )
    );
}

/// What the environment says of another region, which makes no difference here.
fn other_regions() -> Vec<String> {
    let set =
        |variable: &str| std::env::var(variable).ok().filter(|region| !region.is_empty() && region != sam::REGION);
    let told = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().filter_map(|variable| Some((variable, set(variable)?)));
    told.map(|(variable, region)| format!("{} here: that {variable} is {region} makes no difference", sam::REGION))
        .collect()
}

/// The routes of an API, as one calls them.
fn routes(api: &Api, url: &str) -> impl Iterator<Item = String> {
    let address = address(api, url);
    api.routes.iter().map(move |route| {
        let path = if route.path == "$default" { "/" } else { &route.path };
        format!("{} {address}{path}", route.method)
    })
}

/// Tells of executions that an earlier runner left and that can't go on.
fn tell_refused(resumed: &Resumed) {
    for error in &resumed.refused {
        crate::tell!("{} an execution does not go on: {error}", painted(RED, "error:"));
    }
}

/// Shows every execution that is started, or goes on from before `began`, and what functions write that no execution called.
async fn show(mut started: Started, mut uncalled: UncalledLog, viewer: Viewer, began: OffsetDateTime, json: bool) {
    // Dropped with this: what the end of the runner does to an execution is not told as if it were its own.
    let mut watching = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = watching.join_next() => {}
            running = started.recv() => match running {
                Ok(running) => {
                    let viewer = viewer.clone();
                    watching.spawn(async move { viewer.watch_alone(&running, began).await });
                }
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "executions were started faster than shown"),
                Err(RecvError::Closed) => return,
            },
            next = uncalled.next() => match next {
                Uncalled::Line(LogLine { function, line, kind: LogKind::Function, .. }) if !json => {
                    crate::tell!("{}  {} {}", painted(BOLD, function), painted(DIM, "│"), LogText(&line));
                }
                Uncalled::Line(_) => {}
                Uncalled::Missed(missed) => tracing::warn!(missed, "functions wrote lines faster than they are shown"),
            },
        }
    }
}
