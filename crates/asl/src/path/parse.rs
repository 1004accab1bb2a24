//! From the text of a path to its steps.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{Path, Root, Step, filter};
use crate::value::{Number, Value};

/// Text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {at} of '{text}'")]
pub struct PathError {
    text: Arc<str>,
    /// Counted from 0.
    at: usize,
    message: String,
}

impl PathError {
    pub(super) fn not_a_reference(text: &str) -> Self {
        Self {
            text: text.into(),
            at: 0,
            message: "a reference path has only names and single indexes below '$': found something else".into(),
        }
    }
}

pub(super) fn path(text: &str) -> Result<Path, PathError> {
    let mut reader = Reader::new(text);
    let root = reader.root()?;
    let mut steps = Vec::new();
    while !reader.at_end() {
        reader.step(&mut steps)?;
    }
    Ok(Path { text: text.into(), root, steps })
}

/// Reads a path, or a filter inside one, from left to right.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// How much memory a compiled pattern may take: a short text can ask for much.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;

/// How deep parentheses, negations and lists of a filter may nest: hostile text must not exhaust the stack.
const MAX_DEPTH: usize = 64;

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Reads a word of ASCII letters, whatever their case, if it stands here alone.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let found = rest[..letters].eq_ignore_ascii_case(word);
        if found {
            self.at += letters;
        }
        found
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), PathError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(format!("expected '{token}'"))) }
    }

    /// Reads something nested one level deeper.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, PathError>) -> Result<T, PathError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("more than {MAX_DEPTH} nested levels")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> PathError {
        PathError { text: self.text.into(), at: self.text[..self.at].chars().count(), message: message.into() }
    }

    fn root(&mut self) -> Result<Root, PathError> {
        self.expect("$")?;
        if self.eat("$") {
            return Ok(Root::Context);
        }
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
        Ok(if name.is_empty() { Root::Input } else { Root::Variable(name.into()) })
    }

    pub(super) fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        if self.eat("..") {
            steps.push(Step::Descend);
            return if self.peek() == Some('[') { self.bracket(steps) } else { self.name_or_wildcard(steps) };
        }
        match self.peek() {
            Some('.') => {
                self.next();
                if self.peek() == Some('[') { self.bracket(steps) } else { self.name_or_wildcard(steps) }
            }
            Some('[') => self.bracket(steps),
            _ => Err(self.error("expected '.' or '['")),
        }
    }

    fn name_or_wildcard(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        if self.eat("*") {
            steps.push(Step::Wildcard);
            return Ok(());
        }
        let name = self
            .take_while(|c| !matches!(c, '.' | '[' | ']' | '(' | ')' | ' ' | ',' | '=' | '<' | '>' | '!' | '&' | '|'));
        if name.is_empty() {
            return Err(self.error("expected a name"));
        }
        if self.peek() == Some('(') {
            return Err(self.error(format!("the path function '{name}()' is not supported")));
        }
        steps.push(Step::Field(name.into()));
        Ok(())
    }

    fn bracket(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        self.expect("[")?;
        self.blanks();
        let step = match self.peek() {
            Some('*') => {
                self.next();
                Step::Wildcard
            }
            Some('?') => {
                self.next();
                self.blanks();
                self.expect("(")?;
                let filter = filter::parse(self)?;
                self.expect(")")?;
                Step::Filter(filter)
            }
            Some('\'' | '"') => self.names()?,
            Some(c) if c == '-' || c == ':' || c.is_ascii_digit() => self.indexes()?,
            _ => return Err(self.error("expected a quoted name, an index, a slice, '*' or '?('")),
        };
        self.blanks();
        self.expect("]")?;
        steps.push(step);
        Ok(())
    }

    fn names(&mut self) -> Result<Step, PathError> {
        let first: Arc<str> = self.quoted()?.into();
        let mut names = vec![first.clone()];
        while self.comma() {
            names.push(self.quoted()?.into());
        }
        Ok(if names.len() == 1 { Step::Field(first) } else { Step::Fields(names) })
    }

    fn indexes(&mut self) -> Result<Step, PathError> {
        let first = self.integer()?;
        self.blanks();
        if self.eat(":") {
            self.blanks();
            let to = self.integer()?;
            self.blanks();
            if self.peek() == Some(':') {
                return Err(self.error("a slice with a step is not supported"));
            }
            return Ok(Step::Slice { from: first, to });
        }
        let Some(first) = first else { return Err(self.error("expected an index")) };
        let mut indexes = vec![first];
        while self.comma() {
            let Some(index) = self.integer()? else { return Err(self.error("expected an index")) };
            indexes.push(index);
        }
        Ok(if indexes.len() == 1 { Step::Index(first) } else { Step::Indexes(indexes) })
    }

    fn comma(&mut self) -> bool {
        self.blanks();
        let found = self.eat(",");
        self.blanks();
        found
    }

    fn integer(&mut self) -> Result<Option<i64>, PathError> {
        let start = self.at;
        self.eat("-");
        self.take_while(|c| c.is_ascii_digit());
        let digits = &self.text[start..self.at];
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| self.error("an index is out of range"))
    }

    /// A quoted text. A backslash before the quote makes it part of the text; before anything else it is a backslash.
    pub(super) fn quoted(&mut self) -> Result<String, PathError> {
        let Some(quote @ ('\'' | '"')) = self.next() else { return Err(self.error("expected a quoted text")) };
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\\') if self.peek() == Some(quote) => text.extend(self.next()),
                Some(c) if c == quote => return Ok(text),
                Some(c) => text.push(c),
                None => return Err(self.error("a quote is not closed")),
            }
        }
    }

    /// `/pattern/flags`, in Java's notation, which stands for a whole text.
    pub(super) fn pattern(&mut self) -> Result<Regex, PathError> {
        self.expect("/")?;
        let start = self.at;
        loop {
            match self.next() {
                Some('/') => break,
                Some('\\') => drop(self.next()),
                Some(_) => {}
                None => return Err(self.error("a pattern is not closed")),
            }
        }
        let pattern = &self.text[start..self.at - 1];
        let flags = self.take_while(|c| c.is_ascii_alphabetic());
        let has = |flag| flags.contains(flag);
        // A comment, which the flag x allows, ends with its line.
        let end = if has('x') { "\n" } else { "" };
        RegexBuilder::new(&format!("\\A(?:{pattern}{end})\\z"))
            .case_insensitive(has('i'))
            .ignore_whitespace(has('x'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .size_limit(MAX_PATTERN_BYTES)
            .build()
            .map_err(|error| self.error(format!("'{pattern}' is no pattern that is supported: {error}")))
    }

    /// `true`, `false`, `null`, a number, a quoted text or a list of these.
    pub(super) fn literal(&mut self) -> Result<Value, PathError> {
        if self.eat("[") {
            return self.nested(Self::list);
        }
        if matches!(self.peek(), Some('\'' | '"')) {
            return Ok(self.quoted()?.into());
        }
        let word = self.take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '+' | '.'));
        match word {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            "null" => Ok(Value::Null),
            _ => match word.parse::<Number>() {
                Ok(number) => Ok(Value::Number(number)),
                Err(_) => Err(self.error(format!("'{word}' is no value"))),
            },
        }
    }

    /// The values of a list, and its closing bracket.
    fn list(&mut self) -> Result<Value, PathError> {
        let mut values: Vec<Value> = Vec::new();
        self.blanks();
        if self.eat("]") {
            return Ok(values.into());
        }
        loop {
            self.blanks();
            values.push(self.literal()?);
            if !self.comma() {
                self.expect("]")?;
                return Ok(values.into());
            }
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.next();
        }
        &self.text[start..self.at]
    }
}
