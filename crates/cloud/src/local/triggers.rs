//! What starts things by itself: rules and schedules, event source mappings, the destinations of functions.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use futures::FutureExt as _;
use sam::Application;
use tokio::{
    sync::{broadcast, mpsc::UnboundedReceiver},
    task::JoinSet,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::StartError;
use crate::{
    destinations::Destinations,
    dynamodb::DynamoDb,
    events::Events,
    front::panic_text,
    lambda::EventEnd,
    location::Location,
    mappings::{self, Mappings},
    s3::{self, ObjectEvent, S3},
    scheduler::{self, Scheduler},
    states::{StatusChange, Store},
    targets::Targets,
};

/// How long it is after a panic until what ended in it begins anew.
const PAUSE: Duration = Duration::from_secs(1);

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
        let files = scheduler::Files {
            schedules: file("schedules.json"),
            groups: file("schedule-groups.json"),
            marks: file("one-time-schedules.json"),
        };
        let (to, of) = (targets.clone(), location.clone());
        let scheduler = Scheduler::open(application, of, to, events.clone(), files)?;
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
        let rules = events.clone();
        serving.spawn(on_and_on("the rules that fire by the clock", move || {
            let rules = rules.clone();
            async move { rules.fire().await }
        }));
        serving.spawn(on_and_on("the schedules", move || {
            let scheduler = scheduler.clone();
            async move { scheduler.fire().await }
        }));
        let send = move |change: StatusChange| events.send(&change.event());
        serving.spawn(each("a change of an execution's status", status_changes, CancellationToken::new(), send));
        let tell = move |end: EventEnd| {
            destinations.tell(&end);
            end.done();
        };
        AbortOnDropHandle::new(tokio::spawn(each("the end of an event", event_ends, no_more_ends, tell)))
    }
}

/// Handles what is heard, until there is no more: then what there still is. What ends in a panic is told, and must not stop
/// what comes after it.
async fn each<T>(
    what: &'static str,
    mut heard: UnboundedReceiver<T>,
    no_more: CancellationToken,
    mut handle: impl FnMut(T),
) {
    loop {
        let one = tokio::select! {
            biased;
            () = no_more.cancelled(), if !heard.is_closed() => {
                heard.close();
                continue;
            }
            one = heard.recv() => one,
        };
        let Some(one) = one else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| handle(one))) {
            tracing::error!(panic = panic_text(panic.as_ref()), "{what} was not handled: that ended in a panic");
        }
    }
}

/// Serves; begins anew where that ends in a panic.
async fn on_and_on<F: Future<Output = ()>>(what: &'static str, mut serve: impl FnMut() -> F) {
    while let Err(panic) = AssertUnwindSafe(serve()).catch_unwind().await {
        tracing::error!(panic = panic_text(panic.as_ref()), "{what} begin anew: they ended in a panic");
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn a_panic_stops_nothing_that_comes_after_it() {
        let (sender, heard) = unbounded_channel();
        (1..=3).for_each(|number| sender.send(number).unwrap());
        drop(sender);
        let mut handled = Vec::new();
        each("a number", heard, CancellationToken::new(), |number| {
            assert_ne!(number, 2, "not this one");
            handled.push(number);
        })
        .await;
        assert_eq!(handled, [1, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_in_a_panic_begins_anew() {
        let mut times = 0;
        on_and_on("they", || {
            times += 1;
            let is_first = times == 1;
            async move { assert!(!is_first, "not this time") }
        })
        .await;
        assert_eq!(times, 2);
    }
}
