//! The workflow that needs no function.

use end_to_end::{Command, Finished};
use serde_json::json;

fn run(input: &str) -> Finished {
    Command::new(["run", "HelloWorld", "--ephemeral", "--fast", "--input", input]).run()
}

#[test]
fn an_example_says_hello_after_its_wait() {
    // The default of the choice is an example, too.
    for input in ["events/hello-world/yes.json", "{}", r#"{"IsHelloWorldExample":"perhaps"}"#] {
        let finished = run(input).expect(0);
        assert_eq!(finished.json(), json!({ "Message": "Hello World" }), "{input}");
        for state in ["Yes", "Wait 3 sec", "Hello", "World", "Parallel State", "Hello World"] {
            assert!(finished.stderr.contains(&format!("✓ {state}")), "{state}: {}", finished.stderr);
        }
    }
}

#[test]
fn what_is_no_example_fails_with_its_cause() {
    let finished = run("events/hello-world/no.json").expect(1);
    assert!(finished.stderr.contains("Not Hello World"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("Wait 3 sec"), "{}", finished.stderr);
}
