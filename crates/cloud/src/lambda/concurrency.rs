//! How many invocations run at once, and how many may: of a function that has some reserved, and of all others together.
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
    running: u32,
}

/// More would be reserved than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuchReserved;

/// An invocation that runs, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Running {
    concurrency: Arc<Concurrency>,
    function: String,
}

impl Concurrency {
    /// Lets an invocation run, if one more may.
    pub(crate) fn admit(self: &Arc<Self>, function: &str) -> Result<Running, ThrottleReason> {
        let mut state = self.state();
        let is_full = state.unreserved() >= state.unreserved_limit();
        let usage = state.functions.entry(function.to_owned()).or_default();
        match usage.reserved {
            Some(reserved) if usage.running >= reserved => {
                return Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
            }
            None if is_full => return Err(ThrottleReason::ConcurrentInvocationLimitExceeded),
            Some(_) | None => {}
        }
        usage.running += 1;
        Ok(Running { concurrency: Arc::clone(self), function: function.to_owned() })
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

    /// Forgets a function that is gone. What still runs of it counts no more.
    pub(crate) fn forget(&self, function: &str) {
        self.state().functions.remove(function);
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

    fn unreserved_limit(&self) -> u32 {
        let reserved = self.functions.values().filter_map(|usage| usage.reserved).fold(0, u32::saturating_add);
        ACCOUNT_LIMIT.saturating_sub(reserved)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(usage) = self.concurrency.state().functions.get_mut(&self.function) {
            usage.running = usage.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_is_a_limit_and_a_guarantee() {
        let concurrency = Arc::new(Concurrency::default());
        concurrency.reserve("few", Some(2)).unwrap();
        let running: Vec<_> = (0..2).map(|_| concurrency.admit("few").unwrap()).collect();
        let reason = concurrency.admit("few").unwrap_err();
        assert_eq!(reason, ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
        drop(running);
        let kept = concurrency.admit("few").unwrap();

        let others: Vec<_> = (0..998).map(|_| concurrency.admit("other").unwrap()).collect();
        let reason = concurrency.admit("third").unwrap_err();
        assert_eq!(reason, ThrottleReason::ConcurrentInvocationLimitExceeded);
        concurrency.admit("few").unwrap();

        // What runs already counts where the function is from now on.
        concurrency.reserve("few", None).unwrap();
        assert_eq!(concurrency.unreserved_limit(), 1000);
        concurrency.admit("third").unwrap();
        drop((kept, others));
        assert_eq!(concurrency.state().unreserved(), 0);
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
