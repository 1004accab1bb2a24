//! Starts an execution for an event, once.

fn main() {}
