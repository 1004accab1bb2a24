//! Puts the time played as a metric to CloudWatch.

fn main() {}
