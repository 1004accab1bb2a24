//! Tasks that somebody else ends: `SendTaskSuccess`, `SendTaskFailure`, `SendTaskHeartbeat`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use asl::{Fault, Value};
use engine::{journal::JournalError, run::Reports, task_token};

use super::ApiError;

/// The code that tells that a task has ended or timed out.
pub(super) const OVER: &str = "TaskTimedOut";

/// The tasks that wait for somebody to end them, by their tokens.
#[derive(Default)]
pub struct TaskTokens {
    waiting: Mutex<HashMap<Arc<str>, Arc<dyn Task>>>,
}

/// A task that somebody with its token can end. What it takes is written when it returns; false is that it is over.
pub trait Task: Send + Sync {
    /// `SendTaskHeartbeat`.
    fn heartbeat(&self) -> Result<bool, JournalError>;

    /// `SendTaskSuccess` and `SendTaskFailure`.
    fn ended(&self, end: Result<Value, Fault>) -> Result<bool, JournalError>;
}

impl Task for Reports {
    fn heartbeat(&self) -> Result<bool, JournalError> {
        Self::heartbeat(self)
    }

    fn ended(&self, end: Result<Value, Fault>) -> Result<bool, JournalError> {
        Self::ended(self, end)
    }
}

/// A token that is of use for as long as this lives.
pub struct Waiting {
    tokens: Arc<TaskTokens>,
    token: Arc<str>,
    task: Arc<dyn Task>,
}

impl TaskTokens {
    /// Gives a task what comes by its token.
    ///
    /// The token is one that [`engine::task_token`] made. A task that waits again, as after a restart, takes the place of
    /// the one before.
    pub fn wait(self: &Arc<Self>, token: Arc<str>, task: impl Task + 'static) -> Waiting {
        let task: Arc<dyn Task> = Arc::new(task);
        self.lock().insert(token.clone(), task.clone());
        Waiting { tokens: self.clone(), token, task }
    }

    /// `SendTaskSuccess`.
    pub(super) fn succeed(&self, token: &str, output: &str) -> Result<(), ApiError> {
        let task = self.find(token)?;
        let output = Value::parse(output).map_err(|error| {
            ApiError::new("InvalidOutput", format!("Invalid Output: '{}'", super::not_json(output, &error)))
        })?;
        confirmed(task.ended(Ok(output)))
    }

    /// `SendTaskFailure`.
    pub(super) fn fail(&self, token: &str, fault: Fault) -> Result<(), ApiError> {
        confirmed(self.find(token)?.ended(Err(fault)))
    }

    /// `SendTaskHeartbeat`.
    pub(super) fn heartbeat(&self, token: &str) -> Result<(), ApiError> {
        confirmed(self.find(token)?.heartbeat())
    }

    /// The task that waits with this token. It is told something without the lock: its execution may give tasks up.
    fn find(&self, token: &str) -> Result<Arc<dyn Task>, ApiError> {
        match self.lock().get(token) {
            Some(task) => Ok(task.clone()),
            None if task_token::is_one(token) => Err(over()),
            None => Err(ApiError::invalid_token()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<dyn Task>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn confirmed(taken: Result<bool, JournalError>) -> Result<(), ApiError> {
    match taken {
        Ok(true) => Ok(()),
        Ok(false) => Err(over()),
        Err(error) => Err(ApiError::internal(&error)),
    }
}

/// Whether the task ended or timed out is not told, by the service neither.
fn over() -> ApiError {
    ApiError::new(OVER, "Task Timed Out: 'Provided task does not exist anymore'")
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.tokens.lock();
        if waiting.get(&self.token).is_some_and(|task| Arc::ptr_eq(task, &self.task)) {
            waiting.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Tells what it is told, until somebody has ended it.
    struct Telling(mpsc::Sender<String>, Mutex<bool>);

    impl Task for Telling {
        fn heartbeat(&self) -> Result<bool, JournalError> {
            self.0.send("heartbeat".into()).unwrap();
            Ok(true)
        }

        fn ended(&self, end: Result<Value, Fault>) -> Result<bool, JournalError> {
            if std::mem::replace(&mut *self.1.lock().unwrap(), true) {
                return Ok(false);
            }
            self.0.send(format!("{end:?}")).unwrap();
            Ok(true)
        }
    }

    /// What can't be written.
    struct Closed;

    impl Task for Closed {
        fn heartbeat(&self) -> Result<bool, JournalError> {
            Err(JournalError::Closed)
        }

        fn ended(&self, _: Result<Value, Fault>) -> Result<bool, JournalError> {
            Err(JournalError::Closed)
        }
    }

    fn telling() -> (Telling, mpsc::Receiver<String>) {
        let (sender, told) = mpsc::channel();
        (Telling(sender, Mutex::new(false)), told)
    }

    fn code(result: Result<(), ApiError>) -> &'static str {
        result.err().map_or("taken", |error| error.code)
    }

    #[test]
    fn a_task_is_told_what_comes_by_its_token_and_ends_once() {
        let tokens = Arc::new(TaskTokens::default());
        let token: Arc<str> = task_token::make([7; 16]).into();
        let (task, told) = telling();
        let _waiting = tokens.wait(token.clone(), task);
        assert_eq!(code(tokens.heartbeat(&token)), "taken");
        assert_eq!(code(tokens.succeed(&token, "no JSON")), "InvalidOutput");
        assert_eq!(code(tokens.succeed(&token, "true")), "taken");
        assert_eq!(code(tokens.succeed(&token, "true")), "TaskTimedOut");
        assert_eq!(code(tokens.fail(&token, Fault::default())), "TaskTimedOut");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["heartbeat", "Ok(Bool(true))"]);
    }

    #[test]
    fn a_token_is_of_use_for_as_long_as_its_task_waits() {
        let tokens = Arc::new(TaskTokens::default());
        let token: Arc<str> = task_token::make([7; 16]).into();
        let given_up = tokens.wait(token.clone(), telling().0);
        let (task, told) = telling();
        let waiting = tokens.wait(token.clone(), task);
        drop(given_up);
        assert_eq!(code(tokens.fail(&token, Fault::named("Broken"))), "taken");
        assert!(told.recv().unwrap().contains("Broken"));
        drop(waiting);
        assert_eq!(code(tokens.heartbeat(&token)), "TaskTimedOut");
    }

    #[test]
    fn what_is_not_written_is_not_confirmed() {
        let tokens = Arc::new(TaskTokens::default());
        let token: Arc<str> = task_token::make([7; 16]).into();
        let _waiting = tokens.wait(token.clone(), Closed);
        assert_eq!(code(tokens.succeed(&token, "1")), "InternalServerException");
        assert_eq!(code(tokens.heartbeat(&token)), "InternalServerException");
    }

    #[test]
    fn what_is_no_token_is_told_from_one_that_is_over() {
        let tokens = TaskTokens::default();
        for token in ["NoSuchTaskToken", "", &task_token::make([7; 16]).to_lowercase()] {
            assert_eq!(code(tokens.succeed(token, "no JSON")), "InvalidToken");
        }
        assert_eq!(code(tokens.succeed(&task_token::make([7; 16]), "{}")), "TaskTimedOut");
    }
}
