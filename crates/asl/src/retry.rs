//! What a state does about an error: retriers and catchers.

use std::{sync::Arc, time::Duration};

use crate::{
    fault::{Fault, names},
    flow::ResultPath,
    machine::StateId,
    template::Template,
};

/// The errors that a retrier or catcher is for: the list of `ErrorEquals`.
#[derive(Clone, Debug)]
pub struct ErrorEquals(pub Vec<Arc<str>>);

/// What raised an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The work of a task.
    Task,
    /// A task that sent no heartbeat in time.
    Heartbeat,
    /// A branch of a Parallel state, an iteration of a Map state, or the evaluation of a field.
    Other,
}

impl ErrorEquals {
    /// Whether an error is among them.
    ///
    /// `States.Runtime` is never: it ends the execution. `States.TaskFailed` stands for every error of a task but a
    /// time-out. A heartbeat that did not come is a `States.Timeout`, which `States.HeartbeatTimeout` stands for too.
    pub fn matches(&self, fault: &Fault, origin: Origin) -> bool {
        if fault.is(names::RUNTIME) {
            return false;
        }
        self.0.iter().any(|name| match &**name {
            names::ALL => true,
            names::TASK_FAILED => fault.is(names::TASK_FAILED) || (origin == Origin::Task && !fault.is(names::TIMEOUT)),
            names::HEARTBEAT_TIMEOUT => fault.is(names::HEARTBEAT_TIMEOUT) || origin == Origin::Heartbeat,
            name => fault.is(name),
        })
    }
}

/// An element of `Retry`.
#[derive(Clone, Debug)]
pub struct Retrier {
    /// The errors it is for.
    pub errors: ErrorEquals,
    /// The delay before the first retry.
    pub interval_seconds: u32,
    /// How often it retries; 0 is never.
    pub max_attempts: u32,
    /// What each further delay is multiplied by; at least 1.
    pub backoff_rate: f64,
    /// The longest delay.
    pub max_delay_seconds: Option<u32>,
    /// Whether the delay is drawn at random from 0 up to what it would be.
    pub full_jitter: bool,
}

impl Retrier {
    /// The delay before the next try, after `retries` earlier ones by this retrier.
    ///
    /// `random` is used by full jitter, which the service applies after the cap.
    pub fn delay(&self, retries: u32, random: u64) -> Duration {
        let exponent = i32::try_from(retries).unwrap_or(i32::MAX);
        let seconds = f64::from(self.interval_seconds) * self.backoff_rate.powi(exponent);
        let cap = self.max_delay_seconds.map_or(f64::from(LONGEST_DELAY_SECONDS), f64::from);
        let delay = Duration::from_secs_f64(seconds.min(cap));
        if self.full_jitter { delay.mul_f64(unit_interval(random)) } else { delay }
    }
}

/// A year, which no execution outlives.
const LONGEST_DELAY_SECONDS: u32 = 31_622_400;

/// Random bits as a number from 0 to before 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what the mantissa holds")]
fn unit_interval(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// An element of `Catch`.
#[derive(Clone, Debug)]
pub struct Catcher {
    /// The errors it is for.
    pub errors: ErrorEquals,
    /// Where the execution goes on.
    pub next: StateId,
    /// What it makes of the error output `{Error, Cause}`.
    pub output: CatchOutput,
    /// `Assign`: the variables that it sets.
    pub assign: Option<Template>,
}

/// The output of a state whose error was caught.
#[derive(Clone, Debug)]
pub enum CatchOutput {
    /// `JSONPath`: the state's input with the error output at this place.
    ResultPath(ResultPath),
    /// JSONata: `Output`, or the error output where there is none.
    Template(Option<Template>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(max_delay_seconds: Option<u32>, full_jitter: bool) -> Retrier {
        Retrier {
            errors: ErrorEquals(vec![names::ALL.into()]),
            interval_seconds: 3,
            max_attempts: 9,
            backoff_rate: 2.0,
            max_delay_seconds,
            full_jitter,
        }
    }

    #[test]
    fn delays_grow_up_to_the_cap() {
        let delays = |cap| (0..4).map(|n| retrier(cap, false).delay(n, 0).as_secs()).collect::<Vec<_>>();
        assert_eq!(delays(None), [3, 6, 12, 24]);
        assert_eq!(delays(Some(10)), [3, 6, 10, 10]);
        assert_eq!(retrier(None, false).delay(u32::MAX, 0).as_secs(), u64::from(LONGEST_DELAY_SECONDS));
    }

    #[test]
    fn full_jitter_spreads_the_capped_delay() {
        assert_eq!(retrier(Some(10), true).delay(5, 0), Duration::ZERO);
        assert_eq!(retrier(Some(10), true).delay(5, 1 << 63), Duration::from_secs(5));
        assert!(retrier(Some(10), true).delay(5, u64::MAX) <= Duration::from_secs(10));
    }

    #[test]
    fn errors_are_matched_by_name_and_by_family() {
        let cases: &[(&[&str], Fault, Origin, bool)] = &[
            (&["MyError"], Fault::named("MyError"), Origin::Task, true),
            (&["MyError"], Fault::named("Other"), Origin::Task, false),
            (&["A", "B"], Fault::named("B"), Origin::Other, true),
            (&[names::ALL], Fault::named("Any"), Origin::Other, true),
            (&[names::ALL], Fault::default(), Origin::Other, true),
            (&[names::ALL], Fault::named(names::RUNTIME), Origin::Task, false),
            (&[names::RUNTIME], Fault::named(names::RUNTIME), Origin::Task, false),
            (&[names::TASK_FAILED], Fault::named("MyError"), Origin::Task, true),
            (&[names::TASK_FAILED], Fault::named("MyError"), Origin::Other, false),
            (&[names::TASK_FAILED], Fault::named(names::TIMEOUT), Origin::Task, false),
        ];
        for (names, fault, origin, expected) in cases {
            let errors = ErrorEquals(names.iter().map(|name| Arc::from(*name)).collect());
            assert_eq!(errors.matches(fault, *origin), *expected, "{names:?} {fault:?} {origin:?}");
        }
    }
}
