//! Writes the report of a completed level.

fn main() {}
