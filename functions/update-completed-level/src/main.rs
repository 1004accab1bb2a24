//! Records the level that a player has completed.

fn main() {}
