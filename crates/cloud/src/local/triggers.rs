//! What starts things by itself: rules and schedules, event source mappings, the destinations of functions.

use std::sync::Arc;

use sam::Application;
use tokio::{
    sync::{broadcast, mpsc::UnboundedReceiver},
    task::JoinSet,
};

use super::StartError;
use crate::{
    destinations::Destinations,
    dynamodb::DynamoDb,
    events::Events,
    lambda::EventEnd,
    location::Location,
    mappings::{self, Mappings},
    s3::{ObjectEvent, S3},
    scheduler::Scheduler,
    states::{StatusChange, Store},
    targets::Targets,
};

pub(super) struct Triggers {
    pub(super) events: Arc<Events>,
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) mappings: Arc<Mappings>,
    destinations: Destinations,
}

/// What triggers hear of.
pub(super) struct Heard {
    pub(super) object_changes: UnboundedReceiver<ObjectEvent>,
    pub(super) status_changes: UnboundedReceiver<StatusChange>,
    pub(super) event_ends: UnboundedReceiver<EventEnd>,
}

impl Triggers {
    pub(super) fn open(
        application: &Application,
        targets: &Targets,
        dynamodb: Arc<DynamoDb>,
        location: &Location,
        file: impl Fn(&'static str) -> Store,
    ) -> Result<Self, StartError> {
        let events = Events::open(application, location.clone(), targets.clone(), file("rules.json"))?;
        let events = Arc::new(events);
        let (schedules, groups) = (file("schedules.json"), file("schedule-groups.json"));
        let (to, of) = (targets.clone(), location.clone());
        let scheduler = Scheduler::open(application, of, to, events.clone(), schedules, groups)?;
        let sources = mappings::Services {
            sqs: targets.sqs.clone(),
            dynamodb,
            lambda: targets.lambda.clone(),
            targets: targets.clone(),
            location: location.clone(),
        };
        let (kept, positions) = (file("event-source-mappings.json"), file("stream-positions.json"));
        let mappings = Mappings::open(&application.event_source_mappings, sources, kept, positions)?;
        let destinations = Destinations::new(application, targets.clone(), location.clone());
        Ok(Self { events, scheduler: Arc::new(scheduler), mappings: Arc::new(mappings), destinations })
    }

    /// Lets them hear and act, for as long as `serving` lives; of changes of objects others are told too.
    pub(super) fn start(
        self,
        heard: Heard,
        s3: Arc<S3>,
        changes: broadcast::Sender<ObjectEvent>,
        serving: &mut JoinSet<()>,
    ) {
        let Self { events, scheduler, mappings, destinations } = self;
        let Heard { object_changes, status_changes, event_ends } = heard;
        mappings.start();
        serving.spawn(tell_ends(destinations, event_ends));
        serving.spawn(fire(events.clone()));
        serving.spawn(async move { scheduler.fire().await });
        serving.spawn(send_changes(events.clone(), s3, object_changes, changes));
        serving.spawn(send_status_changes(events, status_changes));
    }
}

async fn tell_ends(destinations: Destinations, mut ended: UnboundedReceiver<EventEnd>) {
    while let Some(end) = ended.recv().await {
        destinations.tell(&end);
    }
}

async fn fire(events: Arc<Events>) {
    events.fire().await;
}

async fn send_status_changes(events: Arc<Events>, mut changed: UnboundedReceiver<StatusChange>) {
    while let Some(change) = changed.recv().await {
        events.send(&change.event());
    }
}

async fn send_changes(
    events: Arc<Events>,
    s3: Arc<S3>,
    mut changed: UnboundedReceiver<ObjectEvent>,
    changes: broadcast::Sender<ObjectEvent>,
) {
    while let Some(change) = changed.recv().await {
        events.object_changed(&change, &s3.notifications_of(&change.bucket));
        // Nobody may listen; that is no error.
        let _ = changes.send(change);
    }
}
