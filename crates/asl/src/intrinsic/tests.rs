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
        ("States.ArrayPartition($.list, 2.9)", "[[1,2],[2,3]]"),
        ("States.ArrayContains($.list, 3)", "true"),
        ("States.ArrayContains($.list, '3')", "true"),
        ("States.ArrayContains(States.Array('true', $.o), true)", "true"),
        ("States.ArrayContains(States.Array($.o), $.o)", "true"),
        ("States.ArrayContains($.list, false)", "false"),
        ("States.ArrayRange(1, 9, 3)", "[1,4,7]"),
        ("States.ArrayRange(3, 1, -1)", "[3,2,1]"),
        ("States.ArrayRange(1.6, 1.4, 1)", "[1]"),
        ("States.ArrayRange(5.4, -0.6, -2.4)", "[5,3,1]"),
        ("States.ArrayRange(3, 1, 1)", "[]"),
        ("States.ArrayGetItem($.list, 3)", "3"),
        ("States.ArrayGetItem($.list, 3.9)", "3"),
        ("States.ArrayGetItem(States.Array(), 7)", "null"),
        ("States.ArrayLength($.list[?(@ == 2)])", "2"),
        ("States.ArrayUnique($.list)", "[1,2,3]"),
        ("States.Base64Decode(States.Base64Encode('Zażółć'))", r#""Zażółć""#),
        ("States.Base64Decode('!aGVs bG8-')", r#""hello>""#),
        ("States.Base64Decode('aGVsbG8')", r#""hello""#),
        ("States.Base64Decode('aGV=sbG8')", r#""he""#),
        ("States.Base64Decode('aGVsb')", r#""hel""#),
        ("States.Hash('input', 'SHA-1')", r#""140f86aae51ab9e1cda9b4254fe98a74eb54c1a1""#),
        ("States.Hash(12, 'MD5')", r#""c20ad4d76fe97759aa27a0c99bff6710""#),
        ("States.JsonMerge($.o, States.StringToJson('{\"b\":{\"c\":2}}'), false)", r#"{"a":1,"b":{"c":2}}"#),
        ("States.JsonMerge($.o, $.o, 'true')", r#"{"a":1}"#),
        ("States.JsonToString($.o)", r#""{\"a\":1}""#),
        ("States.StringToJson(' ')", "null"),
        ("States.StringToJson('1 2')", "1"),
        ("States.StringToJson('{\"b\":1} and')", r#"{"b":1}"#),
        ("States.MathAdd($.n, -1)", "1"),
        ("States.MathAdd(2147483646, 1)", "2147483647"),
        ("States.MathRandom(10, 20)", "13"),
        ("States.MathRandom(1, 100, 42)", "63"),
        ("States.MathRandom(1, 1000, 1)", "106"),
        ("States.MathRandom(1.9, 1000.9, 2.9)", "806"),
        ("States.MathRandom(2147483640, 2147483647, 1)", "2147483644"),
        ("States.StringSplit('a,b;;c', ',;')", r#"["a","b","c"]"#),
        ("States.StringSplit('', ',')", "[]"),
        ("States.UUID()", r#""7fffffff-ffff-4fff-bfff-ffffffffffff""#),
    ] {
        assert_eq!(evaluate(call).as_deref(), Ok(expected), "{call}");
    }
}

#[test]
fn calls_that_cannot_be_are_refused_in_the_service_s_words() {
    const OCCURRENCES: &str =
        "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}.";
    for (call, expected) in [
        ("States.Format('{} {}', 1)", OCCURRENCES),
        ("States.Format('{}', 1, 2)", OCCURRENCES),
        ("States.Format('{', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('{{}}', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('}')", "Invalid template in States.Format: matching '{' not found for '}'."),
        ("States.Format('{}', $.o)", "Invalid arguments in States.Format"),
        ("States.Format(1)", "Invalid arguments in States.Format"),
        ("States.Format()", "Invalid arguments in States.Format"),
        ("States.ArrayContains('list', 'l')", "Invalid arguments in States.ArrayContains"),
        ("States.ArrayGetItem($.list, 4)", "Invalid arguments in States.ArrayGetItem"),
        ("States.ArrayGetItem($.list, -1)", "Invalid arguments in States.ArrayGetItem"),
        ("States.ArrayGetItem($.list, '1')", "Invalid arguments in States.ArrayGetItem"),
        ("States.ArrayLength($.o)", "Invalid arguments in States.ArrayLength"),
        ("States.ArrayRange(0, 1000, 1)", "Invalid arguments in States.ArrayRange"),
        ("States.ArrayRange(0, 1, 0.9)", "Invalid arguments in States.ArrayRange"),
        ("States.ArrayRange(0, 1)", "Invalid arguments in States.ArrayRange"),
        ("States.ArrayPartition($.list, 0.9)", "Invalid arguments in States.ArrayPartition"),
        ("States.Base64Encode(1)", "Invalid arguments in States.Base64Encode"),
        ("States.Hash('x', 'CRC')", "Invalid arguments in States.Hash"),
        ("States.Hash('x', 'md5')", "Invalid arguments in States.Hash"),
        ("States.JsonMerge($.o, $.o, true)", "Invalid arguments in States.JsonMerge"),
        ("States.JsonMerge($.o, null, false)", "Invalid arguments in States.JsonMerge"),
        ("States.MathAdd(2147483647, 1)", "Invalid arguments in States.MathAdd"),
        ("States.MathAdd(3000000000, 1)", "Invalid arguments in States.MathAdd"),
        ("States.MathAdd('1', 1)", "Invalid arguments in States.MathAdd"),
        ("States.MathRandom(5, 5)", "Invalid arguments in States.MathRandom"),
        ("States.MathRandom(1.4, 1.6)", "Invalid arguments in States.MathRandom"),
        ("States.MathRandom(1, 9, null)", "Invalid arguments in States.MathRandom"),
        ("States.StringSplit(1, ',')", "Invalid arguments in States.StringSplit"),
        ("States.StringToJson(1)", "Invalid arguments in States.StringToJson"),
        ("States.StringToJson()", "Invalid arguments in States.StringToJson"),
        ("States.UUID(1)", "Invalid arguments in States.UUID"),
        ("States.Array(States.ArrayLength(1))", "Invalid arguments in States.ArrayLength"),
    ] {
        let expected = format!("There was an error while evaluating the intrinsic function: {call}. {expected}");
        assert_eq!(evaluate(call), Err(expected), "{call}");
    }
    let cause = evaluate("States.StringToJson('{')").unwrap_err();
    assert!(cause.contains(". Cannot convert String to Json in States.StringToJson, caused by: "), "{cause}");
}

#[test]
fn arguments_that_are_not_there_are_named() {
    for (call, expected) in [
        ("States.ArrayLength($.none)", "The JsonPath argument for the field '$.none' could not be found in the input "),
        ("States.Array($.list[4])", "The JsonPath argument for the field '$.list[4]' could not be found in the input "),
        (
            "States.Array(States.UUID( $$.No.such))",
            "The JsonPath argument for the field '$.No.such' could not be found in ",
        ),
        ("States.Array($.n[0])", "Filter: [0] can only be applied to arrays. Current context is: 1.5"),
    ] {
        let expected = format!("The function '{call}' had the following error: {expected}");
        let cause = evaluate(call).unwrap_err();
        assert!(cause.starts_with(&expected), "{cause}");
    }
}

#[test]
fn what_is_no_call_is_refused() {
    for (call, expected) in [
        ("States.Nope()", "there is no intrinsic function 'States.Nope' in 'States.Nope()'"),
        ("States.Hash('x'", "expected ',' or ')' after an argument in 'States.Hash('x''"),
        ("States.Hash('x, 1)", "a quote is not closed in 'States.Hash('x, 1)'"),
        ("States.Array(1, )", "an argument is missing in 'States.Array(1, )'"),
        ("States.UUID() x", "unexpected ' x' after the call in 'States.UUID() x'"),
        (
            r"States.Array('a\nb')",
            r"a backslash must stand before a quote, a brace or a backslash, not 'n' in 'States.Array('a\nb')'",
        ),
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
