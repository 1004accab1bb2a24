//! What starts things by itself: rules and schedules, event source mappings, the destinations of functions.

use std::sync::{Arc, OnceLock, Weak};

use sam::Application;
use tokio::{
    sync::{broadcast, mpsc::UnboundedReceiver},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::StartError;
use crate::{
    destinations::Destinations,
    dynamodb::DynamoDb,
    events::Events,
    lambda::EventEnd,
    location::Location,
    mappings::{self, Mappings},
    s3::{self, ObjectEvent, S3},
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
    pub(super) status_changes: UnboundedReceiver<StatusChange>,
    pub(super) event_ends: UnboundedReceiver<EventEnd>,
}

/// Tells of changes of objects those whom their buckets want to be told, before the client who made a change is answered: an
/// upload that is acknowledged has started what it starts. Others that listen are told too.
#[derive(Debug)]
pub(super) struct ObjectChanges {
    listeners: broadcast::Sender<ObjectEvent>,
    /// Set before the port is served. Both keep the buckets, which keep this.
    told: OnceLock<(Weak<Events>, Weak<S3>)>,
}

impl ObjectChanges {
    pub(super) fn new(listeners: broadcast::Sender<ObjectEvent>) -> Arc<Self> {
        Arc::new(Self { listeners, told: OnceLock::new() })
    }

    /// Has the rules and the notifications of these told from now on.
    pub(super) fn connect(&self, events: &Arc<Events>, s3: &Arc<S3>) {
        // It is called once.
        let _ = self.told.set((Arc::downgrade(events), Arc::downgrade(s3)));
    }
}

impl s3::Listener for ObjectChanges {
    fn changed(&self, change: ObjectEvent) {
        let told = self.told.get().and_then(|(events, s3)| Some((events.upgrade()?, s3.upgrade()?)));
        match told {
            Some((events, s3)) => events.object_changed(&change, &s3.notifications_of(&change.bucket)),
            None => {
                tracing::error!(bucket = change.bucket, key = change.key, "nobody is there to be told of an object");
            }
        }
        // Nobody may listen; that is no error.
        let _ = self.listeners.send(change);
    }
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

    /// Lets them hear and act, for as long as `serving` lives. Ends of events are told until `no_more_ends` is, and then those
    /// that there still are.
    pub(super) fn start(
        self,
        heard: Heard,
        no_more_ends: CancellationToken,
        serving: &mut JoinSet<()>,
    ) -> AbortOnDropHandle<()> {
        let Self { events, scheduler, mappings, destinations } = self;
        let Heard { status_changes, event_ends } = heard;
        mappings.start();
        serving.spawn(fire(events.clone()));
        serving.spawn(async move { scheduler.fire().await });
        serving.spawn(send_status_changes(events, status_changes));
        AbortOnDropHandle::new(tokio::spawn(tell_ends(destinations, event_ends, no_more_ends)))
    }
}

async fn tell_ends(destinations: Destinations, mut ended: UnboundedReceiver<EventEnd>, no_more: CancellationToken) {
    loop {
        let end = tokio::select! {
            biased;
            () = no_more.cancelled(), if !ended.is_closed() => {
                ended.close();
                continue;
            }
            end = ended.recv() => end,
        };
        let Some(end) = end else { return };
        destinations.tell(&end);
        end.done();
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
