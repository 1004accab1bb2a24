//! The constraints that the service's model puts on the parameters of its operations.
//!
//! Every operation's parameters are checked against [`operations`] before they are read. What does not satisfy them is
//! refused in the service's words, all of it at once.

mod check;
pub(super) mod operations;

pub(super) use check::check;

/// What a parameter may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text.
    Text(Text),
    /// A payload, which is measured in bytes and never shown: at most so many.
    Payload { max_bytes: usize },
    /// One of these texts.
    Enumeration(&'static [&'static str]),
    /// A whole number.
    Integer { min: i64, max: i64 },
    /// A number.
    Float { min: f64, max: f64 },
    /// `true` or `false`.
    Boolean,
    /// A list.
    List { item: &'static Shape, min: usize, max: usize },
    /// Named members.
    Structure(&'static Structure),
}

/// What a text may be. Its length is in characters.
#[derive(Debug)]
pub(super) struct Text {
    min: usize,
    max: usize,
    pattern: Option<Pattern>,
    /// Whether a message must not show it.
    secret: bool,
}

/// A regular expression with what it means.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As the service shows it.
    text: &'static str,
    matches: fn(&str) -> bool,
}

/// Named members.
#[derive(Debug)]
pub(super) struct Structure {
    /// The name in the model, which messages show.
    name: &'static str,
    members: &'static [Member],
}

/// A member of a structure.
#[derive(Debug)]
pub(super) struct Member {
    name: &'static str,
    required: bool,
    shape: &'static Shape,
}
