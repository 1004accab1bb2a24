//! Texts that somebody made up, as definitions, paths, calls of intrinsic functions and expressions of JSONata: what is made
//! of them may not panic.
//!
//! The fuzz targets in `fuzz/` do the same with what a fuzzer makes up. `PROPTEST_CASES=100000 cargo test -p asl --test
//! any_text` looks further.

#[expect(unreachable_pub, reason = "the targets see it as a crate")]
#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

use proptest::{collection::vec, prelude::*, sample::select, test_runner::FileFailurePersistence};

/// What paths and their filters are made of.
const PATH: &[&str] = &[
    "$",
    "$$",
    "$v",
    ".",
    "..",
    "[",
    "]",
    "['",
    "']",
    "[\"",
    "\"]",
    "*",
    "?(",
    "(",
    ")",
    "@",
    "@.a",
    "==",
    "!=",
    "<=",
    ">",
    "=~",
    "&&",
    "||",
    "!",
    "in",
    "/x/i",
    "a",
    "b",
    "é",
    "-",
    "-1",
    "0",
    "1",
    "9223372036854775808",
    ":",
    ",",
    " ",
    "'",
    "\\",
    "'x'",
    "1.5e300",
    "true",
    "null",
    "length()",
    "min()",
    ".a",
    "[0]",
    "[-1:]",
    "[?(@.a>1)]",
    "\u{0}",
    "😀",
];

/// What calls of intrinsic functions are made of.
const CALL: &[&str] = &[
    "States.",
    "States.Format",
    "States.Array",
    "States.ArrayRange",
    "States.ArrayPartition",
    "States.ArrayGetItem",
    "States.MathRandom",
    "States.MathAdd",
    "States.StringSplit",
    "States.StringToJson",
    "States.Base64Decode",
    "States.JsonMerge",
    "States.Hash",
    "States.UUID",
    "(",
    ")",
    ",",
    " ",
    "'",
    "'{} {}'",
    "\\'",
    "\\",
    "{",
    "}",
    "{}",
    "$",
    "$.a",
    "$.b",
    "$$.a",
    "$v",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "1.5",
    "true",
    "null",
    "'MD5'",
    "'[1,2'",
    "'a,b'",
    "é",
    "😀",
];

/// What expressions of JSONata are made of.
const EXPRESSION: &[&str] = &[
    "$",
    "$$",
    "$v",
    "$x",
    "$states",
    "$states.input",
    ".",
    "..",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{'a': 1}",
    ":",
    ",",
    ";",
    ":=",
    "function",
    "function($x){",
    "λ($x){",
    "|",
    "?",
    "?:",
    "??",
    "~>",
    "^(",
    "@$x",
    "#$i",
    "%",
    "*",
    "**",
    "+",
    "-",
    "/",
    "&",
    "=",
    "!=",
    "<",
    ">=",
    "and",
    "or",
    "in",
    "a",
    "b",
    "`a b`",
    "'x'",
    "\"x\"",
    "\"\\u00",
    "'",
    "/a+/i",
    "/",
    "0",
    "1",
    "1e400",
    "[1..9]",
    "true",
    "null",
    "$map",
    "$filter(",
    "$reduce(",
    "$sum(",
    "$string(",
    "$toMillis(",
    "$fromMillis(",
    "$formatNumber(",
    "$formatInteger(",
    "$replace(",
    "$split(",
    "$match(",
    "$sort(",
    "$parse(",
    "$range(",
    "$partition(",
    "$pad(",
    "$number(",
    " ",
    "/*",
    "*/",
    "é",
    "😀",
];

/// What definitions are made of, as text.
const DEFINITION: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"StartAt\"",
    "\"States\"",
    "\"A\"",
    "\"Type\"",
    "\"Pass\"",
    "\"Choice\"",
    "\"Map\"",
    "\"End\"",
    "\"Next\"",
    "true",
    "null",
    "1",
    "-1e999",
    "\"",
    "\\",
    "{\"StartAt\":\"A\",\"States\":{\"A\":",
    "\"Type\":\"Pass\",\"End\":true",
    "\"Type\":\"Succeed\"",
    "\"QueryLanguage\":\"JSONata\",",
    "\"Output\":\"{% $x %}\"",
    "\"ResultPath\":\"$.a\"",
    "\"é\"",
    " ",
    "\u{feff}",
];

/// Pieces in any order, or any text at all.
fn text(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![9 => vec(select(pieces), 0..16).prop_map(|pieces| pieces.concat()), 1 => "\\PC{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn as_a_definition(text in text(DEFINITION)) {
        fuzz::definition(&text);
    }

    #[test]
    fn as_a_path(text in text(PATH), tail in text(PATH)) {
        fuzz::path(&text);
        // Most of what begins at random is no path.
        fuzz::path(&format!("$.a{tail}"));
        fuzz::path(&format!("$.b[?(@.a{tail})]"));
    }

    #[test]
    fn as_an_intrinsic_function(text in text(CALL), arguments in vec(select(CALL), 0..4)) {
        fuzz::intrinsic(&text);
        for function in CALL.iter().filter(|piece| piece.starts_with("States.") && piece.len() > "States.".len()) {
            fuzz::intrinsic(&format!("{function}({})", arguments.join(",")));
        }
    }

    #[test]
    fn as_an_expression(text in text(EXPRESSION)) {
        fuzz::jsonata(&text);
    }
}
