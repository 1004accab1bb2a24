//! Functions of the engine that need a check in front of them: where an argument would make it run out of memory or of
//! stack, or for ever, or where it answers otherwise than the language says.

use std::{collections::HashSet, fmt::Write};

use jsonata_core::value::JValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    calls::{Answer, Calls, delegate},
    conversion::{MEMORY_LIMIT, holds_too_much},
    error::EvaluationError,
    signature,
    wording::quoted,
};

/// Arrays up to this length are left to the engine, which compares each item with all others.
const DISTINCT_LIMIT: usize = 1000;

/// Texts, positions and widths are below this.
const LENGTH_LIMIT: f64 = 1e9;

/// How many letters a Roman number of a million has.
const ROMAN_LIMIT: f64 = 1e6;

/// How many letters a number has that the engine can surely read.
const LETTERS_LIMIT: usize = 12;

/// The widest part of a date: as many digits as the engine can count in.
const DATE_WIDTH_LIMIT: u32 = 18;

/// What `$encodeUrlComponent` encodes: what JavaScript's `encodeURIComponent` does.
const OF_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What `$encodeUrl` encodes: what JavaScript's `encodeURI` does.
const OF_URL: &AsciiSet = &OF_COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');

/// A function with a check in front of it.
pub(super) struct Guarded {
    name: &'static str,
    check: fn(&[JValue]) -> Checked,
}

/// What a check says.
enum Checked {
    /// The engine may answer.
    Pass,
    /// It may, on other arguments.
    With(Vec<JValue>),
    /// This is the answer.
    Answer(JValue),
    Refuse(EvaluationError),
}

/// `$fromMillis`, which `$now` is as well.
pub(super) const FROM_MILLIS: Guarded = Guarded { name: "fromMillis", check: from_millis };

const GUARDED: &[Guarded] = &[
    Guarded { name: "distinct", check: distinct },
    Guarded { name: "encodeUrl", check: |args| encoded(args, OF_URL) },
    Guarded { name: "encodeUrlComponent", check: |args| encoded(args, OF_COMPONENT) },
    Guarded { name: "formatInteger", check: format_integer },
    FROM_MILLIS,
    Guarded { name: "join", check: join },
    Guarded { name: "number", check: number },
    Guarded { name: "pad", check: pad },
    Guarded { name: "parseInteger", check: parse_integer },
    Guarded { name: "string", check: string },
    Guarded { name: "substring", check: substring },
];

pub(super) fn find(name: &str) -> Option<&'static Guarded> {
    GUARDED.iter().find(|guarded| guarded.name == name)
}

/// Calls a function. With a context, that is its first argument; without one it is called as a value, and a callback gets
/// more arguments than it may take.
pub(super) fn call(function: &Guarded, calls: &Calls, with_context: bool, args: &[JValue]) -> Answer {
    let undefined = JValue::Undefined;
    let (context, args) = match args.split_first() {
        Some((context, args)) if with_context => (context, args),
        _ => {
            let most = signature::parameter_count(function.name).min(args.len());
            (&undefined, args.get(..most).unwrap_or_default())
        }
    };
    calls.spend(function.answer(context, args)?)
}

impl Guarded {
    /// Answers if the arguments pass the check.
    pub(super) fn answer(&self, context: &JValue, args: &[JValue]) -> Answer {
        match (self.check)(args) {
            Checked::Pass => delegate(self.name, context, args),
            Checked::With(args) => delegate(self.name, context, &args),
            Checked::Answer(value) => Ok(value),
            Checked::Refuse(error) => Err(error.into()),
        }
    }
}

/// A long array: items are equal if their texts are, with the fields of objects in one order.
fn distinct(args: &[JValue]) -> Checked {
    let [JValue::Array(items)] = args else { return Checked::Pass };
    if items.len() <= DISTINCT_LIMIT {
        return Checked::Pass;
    }
    if holds_too_much(&JValue::Array(items.clone())) {
        return Checked::Refuse(EvaluationError::memory());
    }
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in items {
        let mut text = String::new();
        canonical(item, &mut text);
        if seen.insert(text) {
            kept.push(item.clone());
        }
    }
    Checked::Answer(if items.sequence { JValue::sequence(kept) } else { JValue::array(kept) })
}

fn canonical(value: &JValue, text: &mut String) {
    match value {
        JValue::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        JValue::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for key in keys {
                text.push_str(&quoted(key));
                text.push(':');
                if let Some(value) = fields.get(key) {
                    canonical(value, text);
                }
                text.push(',');
            }
            text.push('}');
        }
        JValue::String(part) => text.push_str(&quoted(part)),
        // Writing to a String can't fail.
        other => drop(write!(text, "{other:?}")),
    }
}

/// Words for an infinite number never end, and a Roman number has a letter for each thousand.
fn format_integer(args: &[JValue]) -> Checked {
    match args {
        [.., JValue::Number(number), _] if !number.is_finite() => Checked::Refuse(EvaluationError::stack()),
        [.., JValue::Number(number), JValue::String(picture)]
            if number.abs() > ROMAN_LIMIT && picture.contains(['I', 'i']) =>
        {
            Checked::Refuse(EvaluationError::memory())
        }
        _ => Checked::Pass,
    }
}

/// A part of a date may be given any width.
fn from_millis(args: &[JValue]) -> Checked {
    let too_wide =
        |digits: &str| !digits.is_empty() && digits.parse().map_or(true, |width: u32| width > DATE_WIDTH_LIMIT);
    let has_too_wide = |picture: &str| {
        picture
            .split('[')
            .filter_map(|part| part.split(']').next()?.split_once(','))
            .any(|(_, widths)| widths.split(|c: char| !c.is_ascii_digit()).any(too_wide))
    };
    match args.iter().find_map(JValue::as_str) {
        Some(picture) if has_too_wide(picture) => Checked::Refuse(EvaluationError::memory()),
        _ => Checked::Pass,
    }
}

/// The engine encodes other characters than the language says.
fn encoded(args: &[JValue], characters: &'static AsciiSet) -> Checked {
    match args {
        [JValue::String(text)] => Checked::Answer(JValue::string(utf8_percent_encode(text, characters).to_string())),
        _ => Checked::Pass,
    }
}

/// The parts and what is put between them.
fn join(args: &[JValue]) -> Checked {
    let Some(JValue::Array(items)) = args.first() else { return Checked::Pass };
    let separator = args.get(1).and_then(JValue::as_str).map_or(0, str::len);
    let total = items
        .iter()
        .map(|item| item.as_str().map_or(0, str::len).saturating_add(separator))
        .fold(0, usize::saturating_add);
    if total > MEMORY_LIMIT { Checked::Refuse(EvaluationError::memory()) } else { Checked::Pass }
}

/// The engine ignores blanks around a number; the language does not.
fn number(args: &[JValue]) -> Checked {
    match args {
        [JValue::String(text)] if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) => {
            let message = format!("Unable to cast value to a number: {}", quoted(text));
            Checked::Refuse(EvaluationError::coded("D3030", message))
        }
        _ => Checked::Pass,
    }
}

/// A width.
fn pad(args: &[JValue]) -> Checked {
    #[expect(clippy::cast_precision_loss, reason = "the limit is exact in a double")]
    let limit = MEMORY_LIMIT as f64;
    let too_wide = |arg: &JValue| matches!(arg, JValue::Number(width) if width.abs() > limit || width.is_nan());
    if args.iter().any(too_wide) { Checked::Refuse(EvaluationError::memory()) } else { Checked::Pass }
}

/// A number in letters is too large for the engine from some length on.
fn parse_integer(args: &[JValue]) -> Checked {
    match args {
        [JValue::String(text), JValue::String(picture)]
            if text.len() > LETTERS_LIMIT && picture.starts_with(['A', 'a']) && is_letters(text) =>
        {
            let digits = text.bytes().map(|letter| f64::from(letter.to_ascii_uppercase() - b'A' + 1));
            Checked::Answer(JValue::Number(digits.fold(0.0, |number, digit| number * 26.0 + digit)))
        }
        _ => Checked::Pass,
    }
}

fn is_letters(text: &str) -> bool {
    text.bytes().all(|letter| letter.is_ascii_alphabetic())
}

/// What is written out.
fn string(args: &[JValue]) -> Checked {
    if args.iter().any(holds_too_much) { Checked::Refuse(EvaluationError::memory()) } else { Checked::Pass }
}

/// Positions far outside of every text.
fn substring(args: &[JValue]) -> Checked {
    let near = |arg: &JValue| match arg {
        JValue::Number(position) => JValue::Number(position.clamp(-LENGTH_LIMIT, LENGTH_LIMIT)),
        other => other.clone(),
    };
    Checked::With(args.iter().map(near).collect())
}
