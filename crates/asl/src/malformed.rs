//! What is wrong with text that is not JSON, in the words of the parser that the service uses (Jackson).

use std::{fmt, iter::Peekable, str::Chars};

/// The first place where a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, without where: `Unrecognized token 'x': was expecting (…)`
    pub message: String,
    line: usize,
    column: usize,
}

/// The message with the place, as intrinsic functions tell it.
impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n at {}", self.message, source(self.line, self.column))
    }
}

/// A place, in a text that is not to be shown.
fn source(line: usize, column: usize) -> String {
    format!(
        "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
    )
}

/// What a value may be.
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// The longest unknown word that is shown in full.
const LONGEST_TOKEN: usize = 256;

/// How deep arrays and objects may nest, so that hostile text does not exhaust the stack.
const MAX_DEPTH: usize = 1000;

/// Finds what is wrong with a text; nothing where it begins with a value.
pub fn find(text: &str) -> Option<Malformed> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 1, column: 1, open: Vec::new() };
    reader.value().err()
}

/// An array or object that is not closed.
struct Open {
    close: char,
    line: usize,
    column: usize,
}

impl Open {
    fn kind(&self) -> &'static str {
        if self.close == '}' { "Object" } else { "Array" }
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    /// Of the next character, from 1.
    column: usize,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn blanks(&mut self) {
        while self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, Malformed> {
        Err(Malformed { message: message.into(), line: self.line, column: self.column })
    }

    fn unexpected<T>(&self, c: char, why: &str) -> Result<T, Malformed> {
        let why = match c {
            '/' => {
                "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for \
                 parser)"
            }
            _ => why,
        };
        self.error(format!("Unexpected character ({}): {why}", described(c)))
    }

    /// The text ends where it must not.
    fn ended<T>(&self) -> Result<T, Malformed> {
        match self.open.last() {
            None => self.error("No content to map due to end-of-input"),
            Some(open) => self.error(format!(
                "Unexpected end-of-input: expected close marker for {} (start marker at {})",
                open.kind(),
                source(open.line, open.column)
            )),
        }
    }

    fn value(&mut self) -> Result<(), Malformed> {
        self.blanks();
        match self.rest.peek().copied() {
            None => self.ended(),
            Some('{') => self.collection('}'),
            Some('[') => self.collection(']'),
            Some('"') => self.string("was expecting closing quote for a string value"),
            Some('-' | '0'..='9') => self.number(),
            Some(c) if c.is_alphabetic() || matches!(c, '_' | '$') => self.word(),
            Some(c) => self.unexpected(c, &format!("expected a valid value {VALUES}")),
        }
    }

    fn collection(&mut self, close: char) -> Result<(), Malformed> {
        self.open.push(Open { close, line: self.line, column: self.column });
        if self.open.len() > MAX_DEPTH {
            let depth = self.open.len();
            return self.error(format!("Document nesting depth ({depth}) exceeds the maximum allowed ({MAX_DEPTH})"));
        }
        self.next();
        self.blanks();
        if self.rest.peek() != Some(&close) {
            loop {
                self.element(close)?;
                self.blanks();
                match self.rest.peek().copied() {
                    Some(',') => drop(self.next()),
                    Some(c) if c == close => break,
                    Some(c @ ('}' | ']')) => return self.wrong_close(c),
                    Some(c) => {
                        let kind = if close == '}' { "Object" } else { "Array" };
                        return self.unexpected(c, &format!("was expecting comma to separate {kind} entries"));
                    }
                    None => return self.ended(),
                }
            }
        }
        self.next();
        self.open.pop();
        Ok(())
    }

    /// An element of an array, or a field of an object.
    fn element(&mut self, close: char) -> Result<(), Malformed> {
        if close == '}' {
            self.blanks();
            match self.rest.peek().copied() {
                Some('"') => self.string("in field name")?,
                Some(c) => return self.unexpected(c, "was expecting double-quote to start field name"),
                None => return self.ended(),
            }
            self.blanks();
            match self.rest.peek().copied() {
                Some(':') => drop(self.next()),
                Some(c) => return self.unexpected(c, "was expecting a colon to separate field name and value"),
                None => return self.error("Unexpected end-of-input within/between Object entries"),
            }
            self.blanks();
            if self.rest.peek().is_none() {
                return self.error("Unexpected end-of-input within/between Object entries");
            }
        }
        self.value()
    }

    fn wrong_close<T>(&self, c: char) -> Result<T, Malformed> {
        match self.open.last() {
            Some(open) => self.error(format!(
                "Unexpected close marker '{c}': expected '{}' (for {} starting at {})",
                open.close,
                open.kind(),
                source(open.line, open.column)
            )),
            None => self.unexpected(c, &format!("expected a valid value {VALUES}")),
        }
    }

    fn string(&mut self, at_end: &str) -> Result<(), Malformed> {
        self.next();
        loop {
            match self.rest.peek().copied() {
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.next();
                    self.escape(at_end)?;
                }
                Some(c) if c < ' ' => {
                    return self.error(format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in string \
                         value",
                        described(c)
                    ));
                }
                Some(_) => drop(self.next()),
                None => {
                    let colon = if at_end.starts_with("in ") { "" } else { ":" };
                    return self.error(format!("Unexpected end-of-input{colon} {at_end}"));
                }
            }
        }
    }

    fn escape(&mut self, at_end: &str) -> Result<(), Malformed> {
        match self.next() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => Ok(()),
            Some('u') => {
                for _ in 0..4 {
                    match self.next() {
                        Some(c) if c.is_ascii_hexdigit() => {}
                        Some(c) => {
                            return self.unexpected(c, "expected a hex-digit for character escape sequence");
                        }
                        None => return self.error(format!("Unexpected end-of-input: {at_end}")),
                    }
                }
                Ok(())
            }
            Some(c) => self.error(format!("Unrecognized character escape {}", described(c))),
            None => self.error("Unexpected end-of-input in character escape sequence"),
        }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.rest.peek() == Some(&'-') {
            self.next();
            self.digits("No digit following minus sign")?;
        } else {
            let is_zero = self.rest.peek() == Some(&'0');
            self.next();
            if is_zero && self.rest.peek().is_some_and(char::is_ascii_digit) {
                return self.error("Invalid numeric value: Leading zeroes not allowed");
            }
            while self.rest.peek().is_some_and(char::is_ascii_digit) {
                self.next();
            }
        }
        if self.rest.peek() == Some(&'.') {
            self.next();
            self.digits("Decimal point not followed by a digit")?;
        }
        if matches!(self.rest.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.rest.peek(), Some('+' | '-')) {
                self.next();
            }
            self.digits("Exponent indicator not followed by a digit")?;
        }
        Ok(())
    }

    fn digits(&mut self, none: &str) -> Result<(), Malformed> {
        match self.rest.peek().copied() {
            Some(c) if c.is_ascii_digit() => {}
            Some(c) => return self.error(format!("Unexpected character ({}) in numeric value: {none}", described(c))),
            None => return self.error(format!("Unexpected end-of-input in numeric value: {none}")),
        }
        while self.rest.peek().is_some_and(char::is_ascii_digit) {
            self.next();
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Malformed> {
        let mut word = String::new();
        while let Some(c) = self.rest.peek().copied().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            self.next();
            if word.len() < LONGEST_TOKEN {
                word.push(c);
            } else if !word.ends_with("...") {
                word.push_str("...");
            }
        }
        if matches!(word.as_str(), "null" | "true" | "false") {
            return Ok(());
        }
        self.error(format!("Unrecognized token '{word}': was expecting {VALUES}"))
    }
}

fn described(c: char) -> String {
    let code = u32::from(c);
    match c {
        c if c.is_control() => format!("(CTRL-CHAR, code {code})"),
        c if code > 255 => format!("'{c}' (code {code} / 0x{code:x})"),
        c => format!("'{c}' (code {code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_in_the_service_s_words() {
        for (text, expected) in [
            (
                "undefined",
                "Unrecognized token 'undefined': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            ),
            (
                "nul",
                "Unrecognized token 'nul': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            ),
            ("{bad json}", "Unexpected character ('b' (code 98)): was expecting double-quote to start field name"),
            ("{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
            (
                r#"{"a":"it is "R" here"}"#,
                "Unexpected character ('R' (code 82)): was expecting comma to separate Object entries",
            ),
            (
                r#"{"a" 1}"#,
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            ),
            (r#"{"a":1,}"#, "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"),
            (
                "[1,]",
                "Unexpected character (']' (code 93)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            ),
            ("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"),
            (r#"{"a":"#, "Unexpected end-of-input within/between Object entries"),
            (r#"{"a"#, "Unexpected end-of-input in field name"),
            (r#"["a"#, "Unexpected end-of-input: was expecting closing quote for a string value"),
            (
                "\"a\nb\"",
                "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value",
            ),
            (r#""\x""#, "Unrecognized character escape 'x' (code 120)"),
            (
                "{ // a\n}",
                "Unexpected character ('/' (code 47)): maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)",
            ),
            ("01", "Invalid numeric value: Leading zeroes not allowed"),
            ("-", "Unexpected end-of-input in numeric value: No digit following minus sign"),
            ("1.x", "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit"),
            (
                "é†",
                "Unrecognized token 'é': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            ),
            (
                "†",
                "Unexpected character ('†' (code 8224 / 0x2020)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            ),
            ("", "No content to map due to end-of-input"),
        ] {
            assert_eq!(find(text).map(|found| found.message).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_place_is_told_with_it() {
        let place = |line, column| source(line, column);
        for (text, expected) in [
            ("undefined", format!("'false')\n at {}", place(1, 10))),
            ("{bad json}", format!("field name\n at {}", place(1, 2))),
            (r#"{"a":1"#, format!("(start marker at {})\n at {}", place(1, 1), place(1, 7))),
            ("[\n{\"a\":1]", format!("(for Object starting at {})\n at {}", place(2, 1), place(2, 7))),
        ] {
            let found = find(text).unwrap().to_string();
            assert!(found.ends_with(&expected), "{text}: {found}");
        }
    }

    #[test]
    fn json_is_not_malformed() {
        for text in ["null", " {\"a\": [1, -2.5e+3, true, \"\\u00e9\\n\"], \"b\": {}} ", "[]", "0", "\"é\""] {
            assert_eq!(find(text), None, "{text}");
        }
        assert!(find(&"[".repeat(100_000)).is_some_and(|found| found.message.contains("nesting depth")));
    }
}
