use super::*;
use crate::context::Environment;

struct Surroundings;

impl Environment for Surroundings {
    fn context(&self) -> Value {
        Value::parse(r#"{"Execution":{"Id":"arn"}}"#).unwrap()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        (name == "count").then(|| Value::from(3_i64))
    }

    fn now(&self) -> time::OffsetDateTime {
        time::OffsetDateTime::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        0
    }
}

fn find(path: &str, input: &str) -> Result<String, String> {
    let input = Value::parse(input).unwrap();
    let path = Path::parse(path).map_err(|error| error.to_string())?;
    path.find(&Scope::new(&input, &Surroundings)).map(|value| value.to_string()).map_err(|missing| missing.to_string())
}

#[test]
fn paths_find_what_they_name() {
    let store = r#"{"items":[{"n":"a","p":5},{"n":"b","p":15},{"n":"c"}],"a-b":{"c d":1},"k":{"n":"deep"}}"#;
    for (path, expected) in [
        ("$.items[0].n", r#""a""#),
        ("$.items[-1].n", r#""c""#),
        ("$.a-b['c d']", "1"),
        (r#"$["a-b"]["c d"]"#, "1"),
        ("$.items[*].n", r#"["a","b","c"]"#),
        ("$.items[0:2].n", r#"["a","b"]"#),
        ("$.items[1:].n", r#"["b","c"]"#),
        ("$.items[-2:].n", r#"["b","c"]"#),
        ("$.items[0,2].n", r#"["a","c"]"#),
        ("$.items[?(@.p > 10)].n", r#"["b"]"#),
        ("$.items[?(@.p)].n", r#"["a","b"]"#),
        ("$.items[?(!(@.p))].n", r#"["c"]"#),
        ("$.items[?(@.p < 10 || @.n == 'c')].n", r#"["a","c"]"#),
        ("$.items[?(@.n == $.k.n)]", "[]"),
        ("$..n", r#"["a","b","c","deep"]"#),
        ("$.k.*", r#"["deep"]"#),
        ("$.items[0]['n','p']", r#"{"n":"a","p":5}"#),
        ("$.items[2]['n','p']", r#"{"n":"c"}"#),
        ("$.items[*]['n','p']", r#"[{"n":"a","p":5},{"n":"b","p":15},{"n":"c"}]"#),
        ("$..['n','p']", r#"[{"n":"a","p":5},{"n":"b","p":15}]"#),
        ("$['k','a-b'].*", r#"["deep",1]"#),
        (
            "$.items['n','p']",
            "Expected to find an object with property ['n','p'] in path $['items'] but found \
             'com.fasterxml.jackson.databind.node.ArrayNode'. This is not a json object according to the JsonProvider: \
             'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
        ),
        ("$.k[0:1].n", "Filter: [0:1]['n'] can only be applied to arrays. Current context is: {\"n\":\"deep\"}"),
        ("$.k.n[0,1]", "Filter: [0,1] can only be applied to arrays. Current context is: \"deep\""),
        ("$.k[0].*", "Filter: [0][*] can only be applied to arrays. Current context is: {\"n\":\"deep\"}"),
        ("$.k.n[?(@.x)]", "Filter: [?] can not be applied to primitives. Current context is: \"deep\""),
        ("$.k.n.*", "[]"),
        ("$.nothing[*]", "Missing property in path $['nothing']"),
        ("$$.Execution.Id", r#""arn""#),
        ("$count", "3"),
        ("$.items[0].x.y", "Missing property in path $['items'][0]['x']"),
        ("$.items[7]", "Index out of bounds when evaluating path $['items'][7]"),
    ] {
        let found = find(path, store).unwrap_or_else(|missing| missing);
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn filters_keep_what_their_operators_hold_for() {
    let all = r#"[{"i":1,"s":"Apple","n":1,"l":[1,"x"]},{"i":2,"s":"pear","n":"1","l":[]},{"i":3,"n":null}]"#;
    for (filter, expected) in [
        ("@.n == 1", "[1,2]"),
        ("@.n == '1'", "[1,2]"),
        ("@.n === 1", "[1]"),
        ("@.n !== 1", "[2,3]"),
        ("@.n == null", "[3]"),
        ("@.s != 'pear'", "[1,3]"),
        ("@.s == @.none", "[]"),
        ("@.s =~ /.pple/", "[1]"),
        ("@.s =~ /P.*/", "[]"),
        ("@.s =~ /P.*/i", "[2]"),
        ("@.s =~ /pp/", "[]"),
        ("@.s =~ /a.*e # both/xi", "[1]"),
        (r"@.s =~ /p\w+/ && @.n =~ /\d/", "[2]"),
        ("@.l =~ /x|y/", "[1]"),
        ("@.s in ['pear', \"fig\"]", "[2]"),
        ("@.s nin ['pear']", "[1]"),
        ("@.n IN [ 1 ]", "[1,2]"),
        ("@.l subsetof ['x', 1, 2]", "[1,2]"),
        ("@.l anyof ['x']", "[1]"),
        ("@.l noneof ['x']", "[2]"),
        ("@.l contains 'x'", "[1]"),
        ("@.s contains 'ea'", "[2]"),
        ("@.l size 2", "[1]"),
        ("@.s size 4", "[2]"),
        ("@.l empty true", "[2]"),
        ("@.s empty false", "[1,2]"),
    ] {
        assert_eq!(find(&format!("$[?({filter})].i"), all).as_deref(), Ok(expected), "{filter}");
    }
}

#[test]
fn text_that_is_no_path_is_refused_with_its_place() {
    for (path, message) in [
        ("a.b", "expected '$' at character 0 of 'a.b'"),
        ("$.", "expected a name at character 2 of '$.'"),
        ("$.a[", "expected a quoted name, an index, a slice, '*' or '?(' at character 4 of '$.a['"),
        ("$.a['b]", "a quote is not closed at character 7 of '$.a['b]'"),
        ("$.a.length()", "the path function 'length()' is not supported at character 10 of '$.a.length()'"),
        (
            "$.a[?(@.b ~ 1)]",
            "expected a comparison (==, !=, <, <=, >, >=, =~, in, ...), '&&', '||' or ')' at character 10 of \
             '$.a[?(@.b ~ 1)]'",
        ),
        ("$.a[?(@.b =~ /x)]", "a pattern is not closed at character 17 of '$.a[?(@.b =~ /x)]'"),
        ("$.a[?(@.b in [1,])]", "'' is no value at character 16 of '$.a[?(@.b in [1,])]'"),
    ] {
        assert_eq!(Path::parse(path).map(|_| ()).map_err(|error| error.to_string()), Err(message.to_owned()));
    }
}

#[test]
fn a_result_is_written_where_a_reference_path_points() {
    for (path, whole, expected) in [
        ("$", r#"{"a":1}"#, Ok("9")),
        ("$.b", r#"{"a":1}"#, Ok(r#"{"a":1,"b":9}"#)),
        ("$.b.c", r#"{"a":1}"#, Ok(r#"{"a":1,"b":{"c":9}}"#)),
        ("$.a[1]", r#"{"a":[1,2]}"#, Ok(r#"{"a":[1,9]}"#)),
        ("$.a[2]", r#"{"a":[1,2]}"#, Err(Unwritable)),
        ("$.a.b", r#"{"a":1}"#, Err(Unwritable)),
        ("$.b", "[]", Err(Unwritable)),
    ] {
        let path = ReferencePath::parse(path).unwrap();
        let written = path.write(Value::parse(whole).unwrap(), Value::from(9_i64)).map(|value| value.to_string());
        assert_eq!(written, expected.map(str::to_owned), "{}", path.text());
    }
}

#[test]
fn writing_leaves_other_holders_of_the_value_alone() {
    let whole = Value::parse(r#"{"a":{"b":1},"big":[1,2,3]}"#).unwrap();
    let written = ReferencePath::parse("$.a.b").unwrap().write(whole.clone(), Value::Null).unwrap();
    assert_eq!(whole.to_string(), r#"{"a":{"b":1},"big":[1,2,3]}"#);
    assert!(whole.get("big").unwrap().is_same(written.get("big").unwrap()));
}

#[test]
fn only_single_places_can_be_written_to() {
    for path in ["$.a[*]", "$..a", "$$.a", "$.a[0:1]", "$.a[-1]"] {
        assert!(ReferencePath::parse(path).is_err(), "{path}");
    }
}

#[test]
fn a_path_that_leads_through_too_many_places_is_refused() {
    let nested = format!("{}{}", "[".repeat(120), "]".repeat(120));
    for path in ["$..*..*..*..*..*", "$..*..*..*..*..none", "$..[?(@..*..*..*..none)]"] {
        assert_eq!(
            find(path, &nested).unwrap_err(),
            "the path leads through more than 4194304 places of this value",
            "{path}"
        );
    }
    // Each value that a payload has room for is found.
    let wide = format!("[{}0]", "0,".repeat(100_000));
    assert_eq!(find("$..*", &wide).unwrap(), wide);
}
