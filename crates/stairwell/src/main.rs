//! Runs workflows.

fn main() {}
