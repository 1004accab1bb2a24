//! Starts an execution for an event, once.
