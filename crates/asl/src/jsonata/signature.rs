//! The signatures of the built-in functions, to tell which argument does not match.

use jsonata_core::value::JValue;

/// The built-in functions with their parameters as the reference declares them: a letter for a type, `-` for one that the
/// context stands in for, `?` for one that may be left out, `+` for one or more.
const DECLARED: &[(&[&str], &str)] = &[
    (&["sum", "max", "min", "average"], "a<n>"),
    (&["count", "reverse", "shuffle"], "a"),
    (&["string"], "x-b?"),
    (&["substring"], "s-nn?"),
    (&["substringBefore", "substringAfter", "parseInteger"], "s-s"),
    (&["formatInteger"], "n-s"),
    (
        &[
            "lowercase",
            "uppercase",
            "length",
            "trim",
            "base64encode",
            "base64decode",
            "encodeUrlComponent",
            "encodeUrl",
            "decodeUrlComponent",
            "decodeUrl",
        ],
        "s-",
    ),
    (&["pad"], "s-ns?"),
    (&["match"], "s-fn?"),
    (&["contains"], "s-(sf)"),
    (&["replace"], "s-(sf)(sf)n?"),
    (&["split"], "s-(sf)n?"),
    (&["join"], "a<s>s?"),
    (&["formatNumber"], "n-so?"),
    (&["formatBase", "round"], "n-n?"),
    (&["number"], "(nsb)-"),
    (&["floor", "ceil", "abs", "sqrt"], "n-"),
    (&["power"], "n-n"),
    (&["boolean", "not", "keys", "spread"], "x-"),
    (&["map", "filter"], "af"),
    (&["zip"], "a+"),
    (&["single", "sort"], "af?"),
    (&["reduce"], "afj?"),
    (&["sift"], "o-f?"),
    (&["each"], "o-f"),
    (&["lookup"], "x-s"),
    (&["append"], "xx"),
    (&["exists", "type", "distinct"], "x"),
    (&["merge"], "a<o>"),
    (&["error"], "s?"),
    (&["assert"], "bs?"),
    (&["toMillis"], "s-s?"),
    (&["fromMillis"], "n-s?s?"),
    (&["now"], "s?s?"),
    (&["millis", "uuid"], ""),
    (&["hash"], "ss?"),
    (&["parse"], "s"),
    (&["partition"], "an"),
    (&["random"], "n?"),
    (&["range"], "nnn?"),
];

/// The names of all built-in functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    DECLARED.iter().flat_map(|(names, _)| names.iter().copied())
}

/// The parameters of a built-in function.
pub(super) fn declared(function: &str) -> Option<&'static str> {
    DECLARED.iter().find(|(names, _)| names.contains(&function)).map(|(_, parameters)| *parameters)
}

/// Whether the context stands in for a first argument that is not given.
pub(super) fn takes_context(function: &str) -> bool {
    declared(function).is_some_and(|signature| signature.contains('-'))
}

/// Whether a function can't do without arguments.
pub(super) fn needs_argument(function: &str) -> bool {
    declared(function).is_some_and(|signature| parameters(signature).iter().any(|parameter| !parameter.optional))
}

/// How many arguments a function takes at most.
pub(super) fn parameter_count(function: &str) -> usize {
    declared(function).map_or(usize::MAX, |signature| parameters(signature).len())
}

/// A parameter: the letters of the types that it takes, and how often it may come.
struct Parameter {
    types: &'static str,
    optional: bool,
    repeated: bool,
}

fn parameters(signature: &'static str) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut rest = signature;
    while let Some(letter) = rest.chars().next() {
        let mut taken = 1;
        match (letter, parameters.last_mut()) {
            ('-' | '?', Some(last)) => last.optional = true,
            ('+', Some(last)) => last.repeated = true,
            ('<', Some(_)) => taken = rest.find('>').map_or(rest.len(), |end| end + 1),
            _ => {
                let types = match letter {
                    '(' => {
                        taken = rest.find(')').map_or(rest.len(), |end| end + 1);
                        rest.get(1..taken - 1).unwrap_or_default()
                    }
                    'a' | 'x' => "asnblfo",
                    'j' => "asnblo",
                    _ => rest.get(..1).unwrap_or_default(),
                };
                parameters.push(Parameter { types, optional: false, repeated: false });
            }
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    parameters
}

/// The letter of a value's type; `m` for one that is missing.
fn letter(value: &JValue) -> char {
    match value {
        JValue::Null => 'l',
        JValue::Bool(_) => 'b',
        JValue::Number(_) => 'n',
        JValue::String(_) => 's',
        JValue::Array(_) => 'a',
        JValue::Object(_) => 'o',
        JValue::Undefined => 'm',
        _ => 'f',
    }
}

/// The number of the first argument that does not match, from 1 on. The parameters take the arguments from the left, as a
/// regular expression of the signature would: that is how the reference finds it.
pub(super) fn first_mismatch(function: Option<&str>, given: &[JValue], message: &str) -> Option<usize> {
    let Some(signature) = function.and_then(declared) else { return told(message) };
    let given: Vec<char> = given.iter().map(letter).collect();
    let parameters = parameters(signature);
    let mut good = 0;
    for count in 1..=parameters.len() {
        match longest(parameters.get(..count)?, &given, 0) {
            Some(length) => good = length,
            None => return Some(good + 1),
        }
    }
    // An array whose items are of another type matches until here, and so does a context that is not there.
    Some(if good < given.len() { good + 1 } else { told(message)? })
}

/// How many arguments the parameters take, as greedily as they can. Nothing if they can't be matched.
fn longest(parameters: &[Parameter], given: &[char], from: usize) -> Option<usize> {
    let Some((first, rest)) = parameters.split_first() else { return Some(from) };
    // Only a function can't be missing.
    let fits = |at: usize| {
        given.get(at).is_some_and(|letter| first.types.contains(*letter) || (*letter == 'm' && first.types != "f"))
    };
    let most = if first.repeated { given.len() } else { from + 1 };
    let mut end = from;
    while end < most && fits(end) {
        end += 1;
    }
    let least = if first.optional { from } else { from + 1 };
    (least..=end).rev().find_map(|next| longest(rest, given, next))
}

/// The number that the engine itself tells.
pub(super) fn told(message: &str) -> Option<usize> {
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse::<usize>().ok());
    match message.split_once("expected ") {
        Some((before, counts)) if before.contains("count mismatch") => {
            let (expected, got) = counts.split_once(", got ")?;
            let (expected, got) = (number(expected)?, number(got)?);
            Some(if got > expected { expected + 1 } else { got + 1 })
        }
        _ => number(message),
    }
}
