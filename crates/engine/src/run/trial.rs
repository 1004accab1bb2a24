//! Lets a state be tried: makes its call, lets its time pass.

use std::{sync::Weak, time::Duration};

use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};

use super::{Answer, Outside, Reports, ended};
use crate::core::{
    CallId, Command, Happened, TimerId,
    trial::{Setup, Trial, TrialError, Tried},
};

/// How long a trial may take.
pub const TRIAL_LIMIT: Duration = Duration::from_mins(5);

/// Tries one state. What its mock does not take the place of is done.
pub async fn try_state(setup: Setup, outside: &dyn Outside) -> Result<Tried, TrialError> {
    let (mut trial, commands) = Trial::begin(setup)?;
    let until = Instant::now() + TRIAL_LIMIT;
    let mut work = Work::default();
    work.take(commands, &trial, outside);
    loop {
        if let Some(tried) = trial.tried() {
            return Ok(tried);
        }
        let happened = tokio::select! {
            happened = work.next() => happened,
            () = sleep_until(until) => return Ok(trial.timed_out()),
        };
        let commands = trial.step(happened, OffsetDateTime::now_utc());
        work.take(commands, &trial, outside);
    }
}

/// What a trial waits for. One state makes one call.
#[derive(Default)]
struct Work {
    call: Option<(CallId, Answer)>,
    timers: Vec<(TimerId, Instant)>,
}

impl Work {
    fn take(&mut self, commands: Vec<Command>, trial: &Trial, outside: &dyn Outside) {
        for command in commands {
            match command {
                Command::StartTask(call) => {
                    let id = call.id;
                    let reports = Reports { running: Weak::new(), call: id };
                    self.call = Some((id, outside.call(trial.identity(), call, reports)));
                }
                Command::CancelTask { .. } => self.call = None,
                // A Map state is tried with a mock alone.
                Command::StartMapRun(_) | Command::CancelMapRun { .. } => {}
                Command::SetTimer { timer, at } => {
                    let left = (at - OffsetDateTime::now_utc()).max(time::Duration::ZERO).unsigned_abs();
                    self.timers.extend(Instant::now().checked_add(left).map(|at| (timer, at)));
                }
            }
        }
    }

    /// The next thing that happens; never, where nothing is waited for.
    async fn next(&mut self) -> Happened {
        let first = self.timers.iter().enumerate().min_by_key(|(_, (_, at))| *at);
        let first = first.map(|(index, (timer, at))| (index, *timer, *at));
        let call = async {
            match &mut self.call {
                Some((id, answer)) => (*id, answer.await),
                None => std::future::pending().await,
            }
        };
        let timer = async {
            match first {
                Some((index, timer, at)) => {
                    sleep_until(at).await;
                    (index, timer)
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            (id, answer) = call => {
                self.call = None;
                ended(id, answer)
            }
            (index, timer) = timer => {
                self.timers.swap_remove(index);
                Happened::TimerFired { timer }
            }
        }
    }
}
