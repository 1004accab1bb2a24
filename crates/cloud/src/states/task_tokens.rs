//! Tasks that somebody else ends: `SendTaskSuccess`, `SendTaskFailure`, `SendTaskHeartbeat`.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use asl::{Fault, Value};
use engine::task_token;
use tokio::sync::oneshot;

use super::ApiError;

/// The tasks that wait for somebody to end them, by their tokens.
#[derive(Default)]
pub struct TaskTokens {
    waiting: Mutex<HashMap<Arc<str>, Waiting>>,
}

struct Waiting {
    answer: oneshot::Sender<Result<Value, Fault>>,
    heartbeat: Arc<dyn Fn() + Send + Sync>,
}

/// How a task ends. Dropping it gives the task up: its token is of no use any more.
pub struct TaskEnd {
    tokens: Arc<TaskTokens>,
    token: Arc<str>,
    answer: oneshot::Receiver<Result<Value, Fault>>,
}

impl TaskTokens {
    /// Waits for the end of a task; `heartbeat` is called for each sign of life.
    ///
    /// The token is one that [`engine::task_token`] made. A task that waits again, as after a restart, takes the place of
    /// the one before.
    pub fn wait(self: &Arc<Self>, token: Arc<str>, heartbeat: impl Fn() + Send + Sync + 'static) -> TaskEnd {
        let (sender, answer) = oneshot::channel();
        self.lock().insert(token.clone(), Waiting { answer: sender, heartbeat: Arc::new(heartbeat) });
        TaskEnd { tokens: self.clone(), token, answer }
    }

    /// `SendTaskSuccess`.
    pub(super) fn succeed(&self, token: &str, output: &str) -> Result<(), ApiError> {
        let mut waiting = self.lock();
        check(&waiting, token)?;
        let output = Value::parse(output)
            .map_err(|error| ApiError::new("InvalidOutput", format!("Invalid Output: '{error}'")))?;
        end(&mut waiting, token, Ok(output));
        Ok(())
    }

    /// `SendTaskFailure`.
    pub(super) fn fail(&self, token: &str, fault: Fault) -> Result<(), ApiError> {
        let mut waiting = self.lock();
        check(&waiting, token)?;
        end(&mut waiting, token, Err(fault));
        Ok(())
    }

    /// `SendTaskHeartbeat`.
    pub(super) fn heartbeat(&self, token: &str) -> Result<(), ApiError> {
        let heartbeat = {
            let waiting = self.lock();
            check(&waiting, token)?;
            waiting.get(token).map(|task| task.heartbeat.clone())
        };
        // Told without the lock: an execution that hears of it may give tasks up.
        if let Some(heartbeat) = heartbeat {
            heartbeat();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails for a token that no task waits for. Whether its task ended or timed out is not told, by the service neither.
fn check(waiting: &HashMap<Arc<str>, Waiting>, token: &str) -> Result<(), ApiError> {
    if waiting.get(token).is_some_and(|task| !task.answer.is_closed()) {
        Ok(())
    } else if task_token::is_one(token) {
        Err(ApiError::new("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"))
    } else {
        Err(ApiError::invalid_token())
    }
}

fn end(waiting: &mut HashMap<Arc<str>, Waiting>, token: &str, answer: Result<Value, Fault>) {
    if let Some(task) = waiting.remove(token) {
        // Nobody wants it any more: that is as if it had come a moment later.
        let _ = task.answer.send(answer);
    }
}

impl Future for TaskEnd {
    type Output = Result<Value, Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.answer).poll(context) {
            Poll::Ready(Ok(answer)) => Poll::Ready(answer),
            // Another wait took its place: this one has no end.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for TaskEnd {
    fn drop(&mut self) {
        self.answer.close();
        let mut waiting = self.tokens.lock();
        if waiting.get(&self.token).is_some_and(|task| task.answer.is_closed()) {
            waiting.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn code(result: Result<(), ApiError>) -> &'static str {
        result.err().map_or("taken", |error| error.code)
    }

    #[tokio::test]
    async fn a_task_ends_as_it_is_told_to() {
        let tokens = Arc::new(TaskTokens::default());
        let token: Arc<str> = task_token::make([7; 16]).into();
        let beats = Arc::new(AtomicUsize::new(0));
        let counted = beats.clone();
        let end = tokens.wait(token.clone(), move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(code(tokens.heartbeat(&token)), "taken");
        assert_eq!(beats.load(Ordering::Relaxed), 1);
        assert_eq!(code(tokens.succeed(&token, "no JSON")), "InvalidOutput");
        assert_eq!(code(tokens.succeed(&token, "[1]")), "taken");
        assert_eq!(end.await, Ok(Value::from(vec![Value::from(1_u64)])));
        assert_eq!(code(tokens.succeed(&token, "[1]")), "TaskTimedOut");
    }

    #[tokio::test]
    async fn a_token_is_of_use_for_as_long_as_its_task_waits() {
        let tokens = Arc::new(TaskTokens::default());
        let token: Arc<str> = task_token::make([7; 16]).into();
        let given_up = tokens.wait(token.clone(), || {});
        let end = tokens.wait(token.clone(), || {});
        drop(given_up);
        assert_eq!(code(tokens.fail(&token, Fault::named("Broken"))), "taken");
        assert_eq!(end.await, Err(Fault::named("Broken")));
        drop(tokens.wait(token.clone(), || {}));
        assert_eq!(code(tokens.heartbeat(&token)), "TaskTimedOut");
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
