//! How many invocations run at once, and how many may: of a function that has some reserved, and of all others together.
//!
//! An invocation is admitted first, and runs once a process may. Only what runs counts for the account, so what waits for a
//! process of one function throttles no other. What a function has reserved is a limit of what is admitted.
//!
//! Source: the Lambda Developer Guide, "Understanding Lambda function scaling" and "Configuring reserved concurrency".

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::invocation::ThrottleReason;

/// How many invocations of an account may run at once. It is Lambda's default.
pub(crate) const ACCOUNT_LIMIT: u32 = 1000;
/// How many of these stay for the functions that have none reserved.
pub(crate) const LEAST_UNRESERVED: u32 = 100;

/// The invocations that run, and their limits.
#[derive(Debug, Default)]
pub(crate) struct Concurrency {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    functions: HashMap<String, Usage>,
}

#[derive(Debug, Default)]
struct Usage {
    reserved: Option<u32>,
    /// How many were admitted and have not ended.
    admitted: u32,
    /// How many of these run.
    running: u32,
}

/// More would be reserved than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuchReserved;

/// An invocation that was admitted, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Admitted {
    concurrency: Arc<Concurrency>,
    function: String,
    is_running: bool,
}

impl Concurrency {
    /// Lets an invocation wait for a process, unless its function has as many as it has reserved.
    pub(crate) fn admit(self: &Arc<Self>, function: &str) -> Result<Admitted, ThrottleReason> {
        let mut state = self.state();
        let usage = state.functions.entry(function.to_owned()).or_default();
        if usage.reserved.is_some_and(|reserved| usage.admitted >= reserved) {
            return Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
        }
        usage.admitted += 1;
        Ok(Admitted { concurrency: Arc::clone(self), function: function.to_owned(), is_running: false })
    }

    /// What a function has reserved.
    pub(crate) fn reserved(&self, function: &str) -> Option<u32> {
        self.state().functions.get(function)?.reserved
    }

    /// How many all functions together have that have none reserved.
    pub(crate) fn unreserved_limit(&self) -> u32 {
        self.state().unreserved_limit()
    }

    /// Reserves as many for a function, or none.
    pub(crate) fn reserve(&self, function: &str, reserved: Option<u32>) -> Result<(), TooMuchReserved> {
        let mut state = self.state();
        let others = state.functions.iter().filter(|(name, _)| *name != function);
        let others: u32 = others.filter_map(|(_, usage)| usage.reserved).fold(0, u32::saturating_add);
        if reserved.is_some_and(|own| own.saturating_add(others) > ACCOUNT_LIMIT - LEAST_UNRESERVED) {
            return Err(TooMuchReserved);
        }
        state.functions.entry(function.to_owned()).or_default().reserved = reserved;
        Ok(())
    }

    /// Forgets what a function that is gone has reserved. What still runs of it counts until its end.
    pub(crate) fn forget(&self, function: &str) {
        let mut state = self.state();
        if let Some(usage) = state.functions.get_mut(function) {
            usage.reserved = None;
        }
        state.drop_unused(function);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many invocations run of functions that have none reserved.
    fn unreserved(&self) -> u32 {
        self.functions.values().filter(|usage| usage.reserved.is_none()).map(|usage| usage.running).sum()
    }

    /// Drops what is known of a function of which nothing is.
    fn drop_unused(&mut self, function: &str) {
        let is_unused = |usage: &Usage| usage.admitted == 0 && usage.reserved.is_none();
        if self.functions.get(function).is_some_and(is_unused) {
            self.functions.remove(function);
        }
    }

    fn unreserved_limit(&self) -> u32 {
        let reserved = self.functions.values().filter_map(|usage| usage.reserved).fold(0, u32::saturating_add);
        ACCOUNT_LIMIT.saturating_sub(reserved)
    }
}

impl Admitted {
    /// Lets it run, now that a process may, if one more may.
    pub(crate) fn run(&mut self) -> Result<(), ThrottleReason> {
        let mut state = self.concurrency.state();
        let is_full = state.unreserved() >= state.unreserved_limit();
        let usage = state.functions.entry(self.function.clone()).or_default();
        if usage.reserved.is_none() && is_full {
            return Err(ThrottleReason::ConcurrentInvocationLimitExceeded);
        }
        usage.running += 1;
        self.is_running = true;
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut state = self.concurrency.state();
        if let Some(usage) = state.functions.get_mut(&self.function) {
            usage.admitted = usage.admitted.saturating_sub(1);
            usage.running = usage.running.saturating_sub(u32::from(self.is_running));
        }
        state.drop_unused(&self.function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_is_a_limit_and_a_guarantee() {
        let concurrency = Arc::new(Concurrency::default());
        concurrency.reserve("few", Some(2)).unwrap();
        let run = |function| {
            let mut admitted = concurrency.admit(function)?;
            admitted.run().map(|()| admitted)
        };
        let running: Vec<_> = (0..2).map(|_| run("few").unwrap()).collect();
        let reason = concurrency.admit("few").unwrap_err();
        assert_eq!(reason, ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
        drop(running);
        let kept = run("few").unwrap();

        // What waits takes no place.
        let waiting: Vec<_> = (0..2000).map(|_| concurrency.admit("other").unwrap()).collect();
        let others: Vec<_> = (0..998).map(|_| run("other").unwrap()).collect();
        let reason = run("third").unwrap_err();
        assert_eq!(reason, ThrottleReason::ConcurrentInvocationLimitExceeded);
        run("few").unwrap();

        // What runs already counts where the function is from now on.
        concurrency.reserve("few", None).unwrap();
        assert_eq!(concurrency.unreserved_limit(), 1000);
        run("third").unwrap();
        // What still runs of one that is gone is not taken for that of another one of its name.
        concurrency.forget("few");
        let again = run("few").unwrap();
        drop((kept, waiting, others));
        assert_eq!(concurrency.state().unreserved(), 1);
        drop(again);
        assert!(concurrency.state().functions.is_empty());
    }

    #[test]
    fn a_hundred_stay_unreserved() {
        let concurrency = Concurrency::default();
        concurrency.reserve("a", Some(800)).unwrap();
        assert_eq!(concurrency.reserve("b", Some(101)), Err(TooMuchReserved));
        concurrency.reserve("b", Some(100)).unwrap();
        concurrency.reserve("a", Some(0)).unwrap();
        assert_eq!((concurrency.reserved("a"), concurrency.unreserved_limit()), (Some(0), 900));
    }
}
