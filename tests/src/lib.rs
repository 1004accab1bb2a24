//! Tests of the real binary with real AWS clients.
