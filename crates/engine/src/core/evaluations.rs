//! Which evaluations took too long.
//!
//! How long one takes depends on the machine that it runs on, and on what else runs there. So this is an input of the
//! execution, as an answer is: it is written with what the execution was told, and a replay goes by what was written.

use std::cell::{Cell, RefCell};

use asl::context::TimeAllowed;

/// The evaluations of an execution that can take long, by their numbers in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Evaluations {
    made: Cell<u64>,
    /// Those of this turn that took too long: known before in a replay, found out otherwise.
    too_long: RefCell<Vec<u64>>,
    replayed: bool,
}

impl Evaluations {
    /// A turn begins that is a replay of one in which these took too long.
    pub(super) fn replay(&mut self, too_long: Vec<u64>) {
        *self = Self { made: self.made.clone(), too_long: RefCell::new(too_long), replayed: true };
    }

    /// A turn ends: those that took too long.
    pub(super) fn take(&mut self) -> Vec<u64> {
        self.replayed = false;
        std::mem::take(self.too_long.get_mut())
    }

    /// One begins.
    pub(super) fn begin(&self) -> TimeAllowed {
        let number = self.made.get() + 1;
        self.made.set(number);
        match self.replayed {
            false => TimeAllowed::Limited,
            true if self.too_long.borrow().contains(&number) => TimeAllowed::Exceeded,
            true => TimeAllowed::Unlimited,
        }
    }

    /// The one that began last has taken too long.
    pub(super) fn took_too_long(&self) {
        self.too_long.borrow_mut().push(self.made.get());
    }
}
