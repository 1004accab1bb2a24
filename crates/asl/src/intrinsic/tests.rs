use super::*;
use crate::context::Environment;

struct Surroundings;

impl Environment for Surroundings {
    fn context(&self) -> Value {
        Value::empty_object()
    }

    fn variable(&self, _: &str) -> Option<Value> {
        None
    }

    fn now(&self) -> time::OffsetDateTime {
        time::OffsetDateTime::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        u64::MAX / 2
    }
}

fn evaluate(call: &str) -> Result<String, String> {
    let input = Value::parse(r#"{"name":"Ada","list":[1,2,2,3],"n":1.5,"o":{"a":1},"tpl":"<{}>"}"#).unwrap();
    let call = Intrinsic::parse(call).map_err(|error| error.to_string())?;
    call.evaluate(&Scope::new(&input, &Surroundings))
        .map(|value| value.to_string())
        .map_err(|fault| fault.cause.unwrap_or_default().to_string())
}

#[test]
fn calls_have_their_values() {
    for (call, expected) in [
        (r"States.Format('Hello {}, \'{}\' \{\}', $.name, 3)", r#""Hello Ada, '3' {}""#),
        ("States.Format($.tpl, null)", r#""<null>""#),
        ("States.Array()", "[]"),
        ("States.Array(1, 'a,b', $.name, States.Array(true))", r#"[1,"a,b","Ada",[true]]"#),
        ("States.ArrayPartition($.list, 3)", "[[1,2,2],[3]]"),
        ("States.ArrayContains($.list, 3)", "true"),
        ("States.ArrayRange(1, 9, 3)", "[1,4,7]"),
        ("States.ArrayRange(3, 1, -1)", "[3,2,1]"),
        ("States.ArrayGetItem($.list, 3)", "3"),
        ("States.ArrayLength($.list[?(@ == 2)])", "2"),
        ("States.ArrayUnique($.list)", "[1,2,3]"),
        ("States.Base64Decode(States.Base64Encode('Zażółć'))", r#""Zażółć""#),
        ("States.Hash('input', 'SHA-1')", r#""140f86aae51ab9e1cda9b4254fe98a74eb54c1a1""#),
        ("States.JsonMerge($.o, States.StringToJson('{\"b\":{\"c\":2}}'), false)", r#"{"a":1,"b":{"c":2}}"#),
        ("States.JsonToString($.o)", r#""{\"a\":1}""#),
        ("States.StringToJson(' ')", "null"),
        ("States.MathAdd($.n, -1)", "1"),
        ("States.MathRandom(10, 20)", "14"),
        ("States.MathRandom(10, 20, 7)", "10"),
        ("States.StringSplit('a,b;;c', ',;')", r#"["a","b","c"]"#),
        ("States.UUID()", r#""7fffffff-ffff-4fff-bfff-ffffffffffff""#),
    ] {
        assert_eq!(evaluate(call).as_deref(), Ok(expected), "{call}");
    }
}

#[test]
fn calls_that_cannot_be_are_refused() {
    for (call, expected) in [
        ("States.Format('{} {}', 1)", "States.Format: there are more '{}' than arguments"),
        ("States.Format('{', 1)", "States.Format: a brace that is no '{}' must be escaped with a backslash"),
        ("States.Format('{}', $.o)", "States.Format: an argument must be a string, number, boolean or null"),
        (
            "States.ArrayGetItem($.list, 4)",
            "States.ArrayGetItem: index 4 is outside of the array, which has 4 elements",
        ),
        ("States.ArrayRange(0, 1000, 1)", "States.ArrayRange: the range has more than 1000 elements"),
        ("States.ArrayRange(0, 1, 0)", "States.ArrayRange: the step must not be 0"),
        ("States.ArrayPartition($.list, 0)", "States.ArrayPartition: the chunk size must be positive"),
        ("States.Hash('x', 'CRC')", "States.Hash: 'CRC' is none of MD5, SHA-1, SHA-256, SHA-384, SHA-512"),
        (
            "States.JsonMerge($.o, $.o, true)",
            "States.JsonMerge: only the shallow merge is supported: the third argument must be false",
        ),
        ("States.MathRandom(5, 5)", "States.MathRandom: the start must be below the end"),
        ("States.ArrayLength($.none)", "Invalid path '$.none' : Missing property in path $['none']"),
        ("States.Nope()", "there is no intrinsic function 'States.Nope' in 'States.Nope()'"),
        ("States.UUID(1)", "States.UUID takes 0 arguments, not 1 in 'States.UUID(1)'"),
        ("States.Hash('x'", "expected ',' or ')' after an argument in 'States.Hash('x''"),
        ("States.Hash('x, 1)", "a quote is not closed in 'States.Hash('x, 1)'"),
        ("States.UUID() x", "unexpected ' x' after the call in 'States.UUID() x'"),
    ] {
        assert_eq!(evaluate(call), Err(expected.to_owned()), "{call}");
    }
}

#[test]
fn calls_nest_ten_deep_and_no_deeper() {
    let nested = |depth: usize| format!("{}{}", "States.Array(".repeat(depth), ")".repeat(depth));
    assert!(Intrinsic::parse(&nested(10)).is_ok());
    assert!(Intrinsic::parse(&nested(11)).is_err());
}
