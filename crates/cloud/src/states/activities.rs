//! Activities: queues of tasks for workers that run anywhere and ask for them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use asl::{Value, value::Object};
use engine::history::epoch_seconds;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::{Notify, oneshot};

use super::{
    ApiError,
    arn::{self, Namespace},
    machines::not_found,
    names, page,
    store::{Store, StoreError},
    tags::Tags,
};

/// How long a worker that asks for a task is kept waiting for one.
const POLL: Duration = Duration::from_mins(1);

/// The activities there are.
pub struct Activities {
    namespace: Namespace,
    store: Store,
    kept: RwLock<IndexMap<Arc<str>, Kept>>,
}

/// An activity as a file keeps it. Its tasks are their executions' matter.
#[derive(Serialize, Deserialize)]
struct SavedActivity {
    arn: Arc<str>,
    name: Arc<str>,
    created_at: OffsetDateTime,
    tags: Tags,
}

#[derive(Clone)]
struct Kept {
    activity: Arc<Activity>,
    tags: Tags,
}

/// An activity.
pub(super) struct Activity {
    arn: Arc<str>,
    name: Arc<str>,
    created_at: OffsetDateTime,
    tasks: Mutex<VecDeque<Scheduled>>,
    added: Notify,
}

/// A task that waits for a worker.
struct Scheduled {
    token: Arc<str>,
    input: Value,
    taken: oneshot::Sender<Taken>,
}

/// A worker has taken a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What the worker calls itself, where it says so.
    pub worker_name: Option<Arc<str>>,
}

/// There is no such activity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The activity {arn} does not exist.")]
pub struct NoSuchActivity {
    /// What was looked for.
    pub arn: String,
}

/// A task as a worker gets it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ActivityTask {
    pub(super) token: Arc<str>,
    pub(super) input: Value,
}

impl Activities {
    /// None yet, in this region and account.
    pub fn new(region: &str, account: &str) -> Self {
        let namespace = Namespace { region: region.to_owned(), account: account.to_owned() };
        Self { namespace, store: Store::default(), kept: RwLock::default() }
    }

    /// Those that a file has, and those of a template.
    pub fn open(region: &str, account: &str, store: Store, described: &[sam::Activity]) -> Result<Self, StoreError> {
        let saved: Vec<SavedActivity> = store.read()?;
        let kept = saved.into_iter().map(|SavedActivity { arn, name, created_at, tags }| {
            (arn.clone(), Kept { activity: Arc::new(Activity::new(arn, name, created_at)), tags })
        });
        let mut kept: IndexMap<_, _> = kept.collect();
        let before = kept.len();
        for sam::Activity { arn, name, .. } in described {
            kept.entry(arn.as_str().into()).or_insert_with(|| Kept {
                activity: Arc::new(Activity::new(arn.as_str().into(), name.as_str().into(), OffsetDateTime::now_utc())),
                tags: Tags::default(),
            });
        }
        if kept.len() > before {
            store.write(&saves(&kept))?;
        }
        Ok(Self { store, kept: RwLock::new(kept), ..Self::new(region, account) })
    }

    /// Puts a task into the queue of an activity. The receiver is told when a worker takes it; dropping the receiver takes
    /// the task out of the queue.
    ///
    /// How the task ends comes by its token: [`super::TaskTokens`].
    pub fn schedule(
        &self,
        activity_arn: &str,
        token: Arc<str>,
        input: Value,
    ) -> Result<oneshot::Receiver<Taken>, NoSuchActivity> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(activity_arn).ok_or_else(|| NoSuchActivity { arn: activity_arn.to_owned() })?;
        let (taken, receiver) = oneshot::channel();
        found.activity.add(Scheduled { token, input, taken });
        Ok(receiver)
    }

    /// Creates an activity. One that is there already stays as it is.
    pub(super) fn create(
        &self,
        name: &str,
        tags: impl FnOnce(&str) -> Result<Tags, ApiError>,
    ) -> Result<Arc<Activity>, ApiError> {
        let arn: Arc<str> = self.namespace.arn("activity", names::check(name)?).into();
        self.change(|kept| {
            if let Some(found) = kept.get(&arn) {
                return Ok(found.activity.clone());
            }
            let tags = tags(&arn)?;
            let activity = Arc::new(Activity::new(arn.clone(), name.into(), OffsetDateTime::now_utc()));
            kept.insert(arn, Kept { activity: activity.clone(), tags });
            Ok(activity)
        })
    }

    /// The activity with this ARN.
    pub(super) fn find(&self, arn: &str) -> Result<Arc<Activity>, ApiError> {
        arn::activity(arn)?;
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(arn).map(|found| found.activity.clone());
        found.ok_or_else(|| ApiError::new("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'")))
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Activity>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.values().map(|found| found.activity.clone()).collect()
    }

    /// Deletes an activity, if it is there.
    pub(super) fn delete(&self, arn: &str) -> Result<(), ApiError> {
        arn::activity(arn)?;
        self.change(|kept| {
            kept.shift_remove(arn);
            Ok(())
        })
    }

    /// Looks at the tags of an activity; nothing where there is none with this ARN.
    pub(super) fn look_at_tags<R>(&self, arn: &str, look: impl FnOnce(&Tags) -> R) -> Option<R> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(arn).map(|found| look(&found.tags))
    }

    /// Changes the tags of an activity.
    pub(super) fn change_tags(
        &self,
        arn: &str,
        act: impl FnOnce(&mut Tags) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        self.change(|kept| act(&mut kept.get_mut(arn).ok_or_else(|| not_found(arn))?.tags))
    }

    /// Does something with the activities, and keeps what came of it. What can't be kept has not happened.
    fn change<R>(&self, act: impl FnOnce(&mut IndexMap<Arc<str>, Kept>) -> Result<R, ApiError>) -> Result<R, ApiError> {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = kept.clone();
        let result = act(&mut changed)?;
        self.store.write(&saves(&changed)).map_err(|error| ApiError::internal(&error))?;
        *kept = changed;
        Ok(result)
    }
}

fn saves(kept: &IndexMap<Arc<str>, Kept>) -> Vec<SavedActivity> {
    kept.values().map(Kept::save).collect()
}

impl Kept {
    fn save(&self) -> SavedActivity {
        let Activity { arn, name, created_at, .. } = &*self.activity;
        SavedActivity { arn: arn.clone(), name: name.clone(), created_at: *created_at, tags: self.tags.clone() }
    }
}

impl Activity {
    fn new(arn: Arc<str>, name: Arc<str>, created_at: OffsetDateTime) -> Self {
        Self { arn, name, created_at, tasks: Mutex::default(), added: Notify::new() }
    }

    fn add(&self, task: Scheduled) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.added.notify_one();
    }

    /// Waits for a task, for as long as the service lets a worker wait.
    pub(super) async fn poll(&self, worker_name: Option<&str>) -> Option<ActivityTask> {
        tokio::time::timeout(POLL, self.next(worker_name)).await.ok()
    }

    async fn next(&self, worker_name: Option<&str>) -> ActivityTask {
        loop {
            // Waits from before the look, so that a task that comes after it is not missed.
            let added = self.added.notified();
            if let Some(task) = self.take(worker_name) {
                return task;
            }
            added.await;
        }
    }

    /// The first task that is still wanted.
    fn take(&self, worker_name: Option<&str>) -> Option<ActivityTask> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = loop {
            let Scheduled { token, input, taken } = tasks.pop_front()?;
            if taken.send(Taken { worker_name: worker_name.map(Into::into) }).is_ok() {
                break ActivityTask { token, input };
            }
        };
        if !tasks.is_empty() {
            // One call may have told of several tasks.
            self.added.notify_one();
        }
        Some(taken)
    }

    /// Its place in a list: by its age, and among those of one moment by its ARN.
    pub(super) fn place(&self) -> String {
        page::place(self.created_at, &self.arn)
    }

    /// The answer of `CreateActivity`.
    pub(super) fn created(&self) -> Value {
        Value::from([("activityArn", Value::from(self.arn.clone())), ("creationDate", epoch_seconds(self.created_at))])
    }

    /// An element of `ListActivities`.
    pub(super) fn summary(&self) -> Object {
        Object::from_iter([
            ("activityArn".into(), Value::from(self.arn.clone())),
            ("creationDate".into(), epoch_seconds(self.created_at)),
            ("name".into(), self.name.clone().into()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activities() -> Activities {
        Activities::new("us-east-1", "000000000000")
    }

    fn create(activities: &Activities) -> Arc<Activity> {
        activities.create("work", |_| Ok(Tags::default())).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_gets_the_first_task_that_is_still_wanted() {
        let activities = activities();
        let activity = create(&activities);
        let waiting = tokio::spawn({
            let activity = activity.clone();
            async move { activity.poll(Some("w")).await }
        });
        tokio::task::yield_now().await;
        drop(activities.schedule(&activity.arn, "given up".into(), Value::Null).unwrap());
        let first = activities.schedule(&activity.arn, "1".into(), Value::from(1_u64)).unwrap();
        let second = activities.schedule(&activity.arn, "2".into(), Value::from(2_u64)).unwrap();
        assert_eq!(waiting.await.unwrap(), Some(ActivityTask { token: "1".into(), input: Value::from(1_u64) }));
        assert_eq!(first.await, Ok(Taken { worker_name: Some("w".into()) }));
        assert_eq!(activity.poll(None).await.map(|task| task.token), Some("2".into()));
        assert_eq!(second.await, Ok(Taken::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_does_not_wait_for_ever() {
        let activities = activities();
        assert_eq!(create(&activities).poll(None).await, None);
    }

    #[test]
    fn an_activity_of_a_template_is_there_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let described = sam::Activity {
            logical_id: "Work".into(),
            name: "work".into(),
            arn: "arn:aws:states:us-east-1:000000000000:activity:work".into(),
        };
        let open = |described: &[sam::Activity]| {
            let store = Store::at(folder.path().join("activities.json"));
            Activities::open("us-east-1", "000000000000", store, described).unwrap()
        };
        let first = open(std::slice::from_ref(&described)).find(&described.arn).unwrap();
        for described in [vec![], vec![described.clone()]] {
            let again = open(&described);
            assert_eq!(again.all().len(), 1);
            assert_eq!(again.find(&first.arn).unwrap().created(), first.created());
        }
    }

    #[test]
    fn an_activity_is_created_once_and_deleted() {
        let activities = activities();
        let activity = create(&activities);
        assert_eq!(create(&activities).created(), activity.created());
        assert_eq!(activities.all().len(), 1);
        activities.delete(&activity.arn).unwrap();
        activities.delete(&activity.arn).unwrap();
        assert_eq!(activities.find(&activity.arn).err().unwrap().code, "ActivityDoesNotExist");
        assert!(activities.schedule(&activity.arn, "t".into(), Value::Null).is_err());
        assert_eq!(activities.create("a b", |_| Ok(Tags::default())).err().unwrap().code, "InvalidName");
    }
}
