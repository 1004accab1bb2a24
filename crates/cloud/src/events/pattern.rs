//! Event patterns.
//!
//! Source: the `EventBridge` User Guide, "Comparison operators for use in event patterns". A field matches if any of its
//! alternatives does; a field of the event that is an array matches if any of its elements does. All that a pattern says of an
//! array of objects has to hold of one of them.

use std::net::IpAddr;

use serde_json::{Map, Value};

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// Every field, and at least one of each `$or`.
    Fields { fields: Vec<(String, Node)>, either: Vec<Vec<Node>> },
    /// At least one of these.
    Leaf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equals(Value),
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    EqualsIgnoreCase(String),
    Wildcard(Wildcard),
    AnythingBut(Vec<Test>),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
    Cidr { network: u128, prefix: u32, v4: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event pattern is not valid at {place}: {message}")]
pub struct PatternError {
    place: String,
    message: String,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn parse(pattern: &Value) -> Result<Self, PatternError> {
        node(pattern, "").map(Self)
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &Value) -> bool {
        self.0.matches(Some(event))
    }
}

fn error(place: &str, message: impl Into<String>) -> PatternError {
    let place = if place.is_empty() { "/" } else { place };
    PatternError { place: place.to_owned(), message: message.into() }
}

fn node(pattern: &Value, place: &str) -> Result<Node, PatternError> {
    match pattern {
        Value::Object(fields) => object(fields, place),
        Value::Array(tests) if tests.is_empty() => Err(error(place, "an empty list matches nothing")),
        Value::Array(tests) => tests.iter().map(|value| test(value, place)).collect::<Result<_, _>>().map(Node::Leaf),
        _ => Err(error(place, "expected an object, or a list of alternatives")),
    }
}

fn object(fields: &Map<String, Value>, place: &str) -> Result<Node, PatternError> {
    let mut compiled = Vec::new();
    let mut either = Vec::new();
    for (name, value) in fields {
        let place = format!("{place}/{name}");
        match (name.as_str(), value) {
            ("$or", Value::Array(alternatives)) => {
                let nodes = alternatives.iter().map(|value| node(value, &place)).collect::<Result<_, _>>()?;
                either.push(nodes);
            }
            ("$or", _) => return Err(error(&place, "expected a list of patterns")),
            _ => compiled.push((name.clone(), node(value, &place)?)),
        }
    }
    Ok(Node::Fields { fields: compiled, either })
}

fn test(value: &Value, place: &str) -> Result<Test, PatternError> {
    let Value::Object(operator) = value else {
        return match value {
            Value::Array(_) => Err(error(place, "an alternative is a value or an operator, not a list")),
            literal => Ok(Test::Equals(literal.clone())),
        };
    };
    let mut entries = operator.iter();
    let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
        return Err(error(place, "expected one operator"));
    };
    let place = format!("{place}/{name}");
    let text = || argument.as_str().map(str::to_owned).ok_or_else(|| error(&place, "expected a string"));
    match (name.as_str(), argument) {
        ("prefix", Value::Object(_)) => ignoring_case(argument, &place).map(Test::PrefixIgnoreCase),
        ("suffix", Value::Object(_)) => ignoring_case(argument, &place).map(Test::SuffixIgnoreCase),
        ("prefix", _) => text().map(Test::Prefix),
        ("suffix", _) => text().map(Test::Suffix),
        ("equals-ignore-case", _) => text().map(|text| Test::EqualsIgnoreCase(text.to_lowercase())),
        ("wildcard", _) => Wildcard::parse(&text()?).map(Test::Wildcard).map_err(|message| error(&place, message)),
        ("exists", Value::Bool(wanted)) => Ok(Test::Exists(*wanted)),
        ("anything-but", _) => anything_but(argument, &place),
        ("numeric", Value::Array(parts)) => numeric(parts, &place),
        ("cidr", _) => cidr(&text()?).ok_or_else(|| error(&place, "expected an address range such as 10.0.0.0/24")),
        _ => Err(error(&place, "this operator, or its argument, is not known")),
    }
}

fn ignoring_case(argument: &Value, place: &str) -> Result<String, PatternError> {
    let text = argument.get("equals-ignore-case").and_then(Value::as_str);
    text.map(str::to_lowercase).ok_or_else(|| error(place, "expected a string, or {\"equals-ignore-case\": …}"))
}

fn anything_but(argument: &Value, place: &str) -> Result<Test, PatternError> {
    let excluded = match argument {
        Value::Array(values) => values.iter().map(|value| test(value, place)).collect::<Result<_, _>>()?,
        // `{"anything-but": {"prefix": ["a", "b"]}}`: the operator of each.
        Value::Object(operator) => {
            let mut tests = Vec::new();
            for (name, arguments) in operator {
                let arguments = match arguments {
                    Value::Array(values) => values.clone(),
                    one => vec![one.clone()],
                };
                for argument in arguments {
                    tests.push(test(&Value::Object(Map::from_iter([(name.clone(), argument)])), place)?);
                }
            }
            tests
        }
        literal => vec![Test::Equals(literal.clone())],
    };
    Ok(Test::AnythingBut(excluded))
}

fn numeric(parts: &[Value], place: &str) -> Result<Test, PatternError> {
    let pair = |pair: &[Value]| {
        let [operator, number] = pair else { return None };
        let comparison = match operator.as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        Some((comparison, number.as_f64()?))
    };
    let comparisons: Option<Vec<_>> = parts.chunks(2).map(pair).collect();
    comparisons
        .filter(|comparisons| !comparisons.is_empty())
        .map(Test::Numeric)
        .ok_or_else(|| error(place, "expected comparisons such as [\">\", 0, \"<=\", 5]"))
}

fn cidr(text: &str) -> Option<Test> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix: u32 = prefix.parse().ok()?;
    let v4 = address.is_ipv4();
    (prefix <= if v4 { 32 } else { 128 }).then(|| Test::Cidr { network: bits(address), prefix, v4 })
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // An empty one has no field, as if it were not there.
            (Self::Fields { .. }, Some(Value::Array(items))) if !items.is_empty() => {
                items.iter().any(|item| self.matches(Some(item)))
            }
            (Self::Fields { fields, either }, _) => {
                fields.iter().all(|(name, node)| node.matches(value.and_then(|value| value.get(name))))
                    && either.iter().all(|nodes| nodes.iter().any(|node| node.matches(value)))
            }
            (Self::Leaf(tests), _) => tests.iter().any(|test| test.holds(value)),
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => *wanted == value.is_some(),
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.holds_for(item)),
            (_, Some(value)) => self.holds_for(value),
            (_, None) => false,
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Equals(literal) => match (literal.as_f64(), value.as_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
                _ => literal == value,
            },
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix.as_str())),
            Self::PrefixIgnoreCase(prefix) => text.is_some_and(|text| text.to_lowercase().starts_with(prefix.as_str())),
            Self::SuffixIgnoreCase(suffix) => text.is_some_and(|text| text.to_lowercase().ends_with(suffix.as_str())),
            Self::EqualsIgnoreCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Self::Wildcard(wildcard) => text.is_some_and(|text| wildcard.matches(text)),
            Self::AnythingBut(tests) => !tests.iter().any(|test| test.holds_for(value)),
            Self::Numeric(comparisons) => value
                .as_f64()
                .is_some_and(|number| comparisons.iter().all(|(comparison, limit)| comparison.holds(number, *limit))),
            Self::Cidr { network, prefix, v4 } => {
                text.and_then(|text| text.parse::<IpAddr>().ok()).is_some_and(|address| {
                    let width = if *v4 { 32 } else { 128 };
                    let differing = (bits(address) ^ network).checked_shr(width - prefix).unwrap_or(0);
                    address.is_ipv4() == *v4 && differing == 0
                })
            }
            Self::Exists(wanted) => *wanted,
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            Self::Equal => number.total_cmp(&limit).is_eq(),
            Self::Less => number < limit,
            Self::LessOrEqual => number <= limit,
            Self::Greater => number > limit,
            Self::GreaterOrEqual => number >= limit,
        }
    }
}

/// A pattern in which `*` is any run of characters. After a backslash `*` and the backslash stand for themselves.
#[derive(Clone, Debug, PartialEq)]
struct Wildcard {
    /// What is before the first `*`, or all where there is none.
    first: String,
    /// What comes after each `*`.
    rest: Vec<String>,
}

impl Wildcard {
    fn parse(pattern: &str) -> Result<Self, &'static str> {
        let (mut first, mut rest) = (String::new(), Vec::new());
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            let literal = match character {
                '*' if characters.peek() == Some(&'*') => return Err("one * after another says no more than one"),
                '*' => {
                    rest.push(String::new());
                    continue;
                }
                '\\' => {
                    characters.next_if(|next| matches!(next, '*' | '\\')).ok_or("a backslash goes before * or \\")?
                }
                other => other,
            };
            rest.last_mut().unwrap_or(&mut first).push(literal);
        }
        Ok(Self { first, rest })
    }

    fn matches(&self, text: &str) -> bool {
        let Some(mut left) = text.strip_prefix(self.first.as_str()) else { return false };
        let Some((last, between)) = self.rest.split_last() else { return left.is_empty() };
        for piece in between {
            let Some((_, after)) = left.split_once(piece.as_str()) else { return false };
            left = after;
        }
        left.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_match_as_documented() {
        let event = json!({
            "source": "aws.s3",
            "detail": {
                "bucket": { "name": "data" },
                "object": { "key": "incoming/a.CSV", "size": 12 },
                "ip": "10.0.0.7",
                "path": r"a*b\cd",
                "tags": ["x", "y"],
                "none": null,
                "items": [{ "id": 1, "kind": "a" }, { "id": 2, "kind": "b", "parts": [{ "name": "deep" }] }],
            },
        });
        for (pattern, expected) in [
            (json!({ "source": ["aws.s3"] }), true),
            (json!({ "source": ["aws.ec2", "aws.s3"] }), true),
            (json!({ "source": ["aws.ec2"] }), false),
            (json!({ "detail": { "items": { "id": [1] } } }), true),
            (json!({ "detail": { "items": { "id": [3] } } }), false),
            (json!({ "detail": { "items": { "id": [2], "kind": ["b"] } } }), true),
            (json!({ "detail": { "items": { "id": [1], "kind": ["b"] } } }), false),
            (json!({ "detail": { "items": { "parts": { "name": ["deep"] } } } }), true),
            (json!({ "detail": { "object": { "key": [{ "prefix": "incoming/" }] } } }), true),
            (json!({ "detail": { "object": { "key": [{ "prefix": "processed/" }] } } }), false),
            (json!({ "detail": { "object": { "key": [{ "suffix": ".csv" }] } } }), false),
            (json!({ "detail": { "object": { "key": [{ "suffix": { "equals-ignore-case": ".csv" } }] } } }), true),
            (json!({ "detail": { "object": { "key": [{ "wildcard": "in*/*.CSV" }] } } }), true),
            (json!({ "detail": { "object": { "key": [{ "wildcard": "in*/*.tsv" }] } } }), false),
            (json!({ "detail": { "path": [{ "wildcard": r"a\*b\\c*" }] } }), true),
            (json!({ "detail": { "path": [{ "wildcard": r"a*b\\*" }] } }), true),
            (json!({ "detail": { "path": [{ "wildcard": r"a\*c" }] } }), false),
            (json!({ "detail": { "path": [{ "wildcard": r"a\*b\\cd" }] } }), true),
            (json!({ "detail": { "path": [{ "wildcard": "*cd*" }] } }), true),
            (json!({ "detail": { "path": [{ "anything-but": { "wildcard": r"a\**" } }] } }), false),
            (json!({ "detail": { "object": { "size": [{ "numeric": [">", 10, "<=", 12] }] } } }), true),
            (json!({ "detail": { "object": { "size": [{ "numeric": [">", 12] }] } } }), false),
            (json!({ "detail": { "object": { "size": [12.0] } } }), true),
            (json!({ "detail": { "tags": ["y"] } }), true),
            (json!({ "detail": { "tags": [{ "anything-but": ["x"] }] } }), true),
            (json!({ "detail": { "bucket": { "name": [{ "anything-but": { "prefix": "da" } }] } } }), false),
            (json!({ "detail": { "ip": [{ "cidr": "10.0.0.0/24" }] } }), true),
            (json!({ "detail": { "ip": [{ "cidr": "10.0.1.0/24" }] } }), false),
            (json!({ "detail": { "none": [null] } }), true),
            (json!({ "detail": { "missing": [null] } }), false),
            (json!({ "detail": { "missing": [{ "exists": false }] } }), true),
            (json!({ "detail": { "none": [{ "exists": true }] } }), true),
            (json!({ "$or": [{ "source": ["aws.ec2"] }, { "detail": { "tags": ["x"] } }] }), true),
            (json!({ "$or": [{ "source": ["aws.ec2"] }, { "detail": { "tags": ["z"] } }] }), false),
        ] {
            assert_eq!(Pattern::parse(&pattern).unwrap().matches(&event), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_place() {
        for (pattern, message) in [
            (
                json!({ "source": "aws.s3" }),
                "the event pattern is not valid at /source: expected an object, or a list of alternatives",
            ),
            (json!({ "a": { "b": [] } }), "the event pattern is not valid at /a/b: an empty list matches nothing"),
            (
                json!({ "a": [{ "sounds-like": "x" }] }),
                "the event pattern is not valid at /a/sounds-like: this operator, or its argument, is not known",
            ),
            (
                json!({ "a": [{ "wildcard": "x**" }] }),
                "the event pattern is not valid at /a/wildcard: one * after another says no more than one",
            ),
            (
                json!({ "a": [{ "wildcard": r"x\y" }] }),
                r"the event pattern is not valid at /a/wildcard: a backslash goes before * or \",
            ),
            (
                json!({ "a": [{ "numeric": ["~", 1] }] }),
                "the event pattern is not valid at /a/numeric: expected comparisons such as [\">\", 0, \"<=\", 5]",
            ),
        ] {
            assert_eq!(Pattern::parse(&pattern).unwrap_err().to_string(), message);
        }
    }
}
