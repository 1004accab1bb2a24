//! The local AWS: one port, the service front ends, Lambda, triggers.

pub mod service;
