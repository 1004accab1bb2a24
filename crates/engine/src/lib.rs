//! Runs a checked definition and writes its history.
