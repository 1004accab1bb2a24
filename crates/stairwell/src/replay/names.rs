//! What the placeholders of a transcript stand for.
//!
//! In a request a placeholder needs a text that the service takes. That is what an earlier answer bound it to, or a
//! text that is made for it here. In an answer what is known is put into the recorded value before it is compared.

use std::{collections::HashMap, sync::LazyLock};

use asl::{Value, value::Object};
use regex::{Captures, Regex};

use super::text::{Bindings, Difference, Leniency, PLACEHOLDER};

/// What an ARN in the transcript's region and account begins with.
const STATES: &str = "arn:aws:states:us-east-1:111111111111";

/// `<invalid_token_1025_chars>`
static LENGTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"_(\d+)_chars>$").ok());

/// `<ExecArnPart_3idx>`: the part that has its number in the order of the test.
static NUMBERED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^<(ExecArnPart|ExpressExecArn_Part1|ExpressExecArn_Part2)_(\d+)idx>$").ok());

/// A word as a message shows it: `'activity_arn'`.
static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"'(\w+)'").ok());

/// The longest text that is made for a placeholder.
const LONGEST: usize = 10_000;

/// What each placeholder and each word stands for so far.
pub(super) struct Names {
    bindings: Bindings,
    /// Words that stand for an ARN: `activity_arn`.
    words: HashMap<String, String>,
    /// The ARNs of the executions that were started, in their order.
    started: Vec<String>,
}

impl Names {
    /// Nothing is known yet.
    pub(super) fn new(leniency: Leniency) -> Self {
        Self { bindings: Bindings::new(leniency), words: HashMap::new(), started: Vec::new() }
    }

    /// A value of a request, with texts for its placeholders.
    pub(super) fn request(&mut self, value: &Value) -> Value {
        map_texts(value, &mut |text| self.request_text(text))
    }

    /// A text of a request, with texts for its placeholders.
    pub(super) fn request_text(&mut self, text: &str) -> String {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        let Some(placeholder) = &*PLACEHOLDER else { return text.to_owned() };
        let fill = |found: &Captures<'_>| {
            let name = &found[0];
            let made = self.bindings.bound(name).map(str::to_owned);
            let made = made.or_else(|| self.of_started(name)).unwrap_or_else(|| make(name));
            self.bindings.bind(name, &made);
            made
        };
        placeholder.replace_all(text, fill).into_owned()
    }

    /// Lets a word stand for an ARN of the kind that the parameter wants.
    pub(super) fn make_arn(&mut self, parameter: &str, word: &str) {
        let arn = match parameter {
            "roleArn" => format!("arn:aws:iam::111111111111:role/{word}"),
            "executionArn" => format!("{STATES}:execution:{word}:{word}"),
            "activityArn" => format!("{STATES}:activity:{word}"),
            _ => format!("{STATES}:stateMachine:{word}"),
        };
        self.words.entry(word.to_owned()).or_insert(arn);
    }

    /// Lets a word stand for a text.
    pub(super) fn learn(&mut self, word: &str, text: &str) {
        self.words.entry(word.to_owned()).or_insert_with(|| text.to_owned());
    }

    /// Takes from an answer what later calls may mean: `activityArn` is what `activity_arn` stands for. Of a list it is the
    /// first one.
    pub(super) fn learn_from(&mut self, operation: &str, answer: &Value) {
        let Value::Object(fields) = answer else { return };
        for (key, value) in fields.iter() {
            match value {
                Value::String(arn) if key.ends_with("Arn") => self.learn(&snake_case(key), arn),
                Value::Array(items) => items.iter().for_each(|item| self.learn_from("", item)),
                _ => {}
            }
        }
        if let ("StartExecution", Some(arn)) = (operation, fields.get("executionArn").and_then(Value::as_str)) {
            self.started.push(arn.to_owned());
        }
    }

    /// Compares an answer with the recorded one.
    pub(super) fn compare(&mut self, place: &str, recorded: &Value, found: &Value) -> Result<(), Difference> {
        let recorded = map_texts(recorded, &mut |text| self.known(text));
        self.bindings.compare(place, &recorded, found)
    }

    /// A recorded text with what is known of its placeholders.
    fn known(&self, text: &str) -> String {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        let (Some(placeholder), Some(quoted)) = (&*PLACEHOLDER, &*QUOTED) else { return text.to_owned() };
        let fill = |found: &Captures<'_>| self.bindings.bound(&found[0]).unwrap_or(&found[0]).to_owned();
        let text = placeholder.replace_all(text, fill);
        let fill = |found: &Captures<'_>| match self.words.get(&found[1]) {
            Some(known) => format!("'{known}'"),
            None => found[0].to_owned(),
        };
        quoted.replace_all(&text, fill).into_owned()
    }

    /// The part of the ARN of a started execution that a numbered placeholder stands for.
    fn of_started(&self, name: &str) -> Option<String> {
        let parts = NUMBERED.as_ref()?.captures(name)?;
        let arn: Vec<&str> = self.started.get(parts[2].parse::<usize>().ok()?)?.split(':').collect();
        let part = match (&parts[1], arn.get(5)?) {
            ("ExecArnPart", &"execution") | ("ExpressExecArn_Part1", &"express") => arn.get(7),
            ("ExpressExecArn_Part2", &"express") => arn.get(8),
            _ => None,
        };
        part.map(|part| (*part).to_owned())
    }
}

/// A text for a placeholder that nothing has bound: its name, or a text of the length that its name asks for.
fn make(placeholder: &str) -> String {
    let length = LENGTH.as_ref().and_then(|length| length.captures(placeholder)?[1].parse::<usize>().ok());
    match length {
        Some(length) => "x".repeat(length.min(LONGEST)),
        None => placeholder.chars().filter(|c| !"<>".contains(*c)).map(|c| if c == ':' { '-' } else { c }).collect(),
    }
}

/// Rewrites every text in a value.
fn map_texts(value: &Value, rewrite: &mut dyn FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => rewrite(text).into(),
        Value::Array(items) => items.iter().map(|item| map_texts(item, rewrite)).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), map_texts(value, rewrite)));
            fields.collect::<Object>().into()
        }
        other => other.clone(),
    }
}

fn snake_case(key: &str) -> String {
    let mut word = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(Leniency::default())
    }

    #[test]
    fn a_placeholder_gets_one_text_that_can_be_a_name() {
        let mut names = names();
        assert_eq!(names.request_text("a:<resource:1>/<Part_0idx>"), "a:resource-1/Part_0idx");
        assert_eq!(names.request_text("<long_5_chars>"), "xxxxx");
        let recorded = Value::from("<resource:1>");
        assert!(names.compare("", &recorded, &Value::from("resource-1")).is_ok());
        assert!(names.compare("", &recorded, &Value::from("other")).is_err());
    }

    #[test]
    fn what_an_answer_bound_is_what_a_request_says() {
        let mut names = names();
        names.compare("", &Value::from("<next-token:1>"), &Value::from("abc")).unwrap();
        assert_eq!(names.request_text("<next-token:1>"), "abc");
    }

    #[test]
    fn words_stand_for_arns() {
        let mut names = names();
        names.learn_from("CreateActivity", &Value::from([("activityArn", Value::from("arn:a"))]));
        let run = Value::from([("mapRunArn", Value::from("arn:r"))]);
        names.learn_from("ListMapRuns", &Value::from([("mapRuns", Value::from(vec![run]))]));
        assert_eq!(names.request_text("map_run_arn"), "arn:r");
        names.make_arn("roleArn", "some_role");
        let request = Value::from([("a", Value::from(vec!["activity_arn".into(), "some_role".into()]))]);
        assert_eq!(
            names.request(&request).to_string(),
            r#"{"a":["arn:a","arn:aws:iam::111111111111:role/some_role"]}"#
        );
        assert!(names.compare("", &Value::from("No: 'activity_arn'"), &Value::from("No: 'arn:a'")).is_ok());
    }

    #[test]
    fn the_number_of_an_execution_is_that_of_its_start() {
        let mut names = names();
        for name in ["first", "second"] {
            let arn = format!("{STATES}:execution:M:{name}");
            names.learn_from("StartExecution", &Value::from([("executionArn", Value::from(arn))]));
        }
        assert_eq!(names.request_text("<ExecArnPart_1idx>"), "second");
        assert_eq!(names.request_text("<ExecArnPart_2idx>"), "ExecArnPart_2idx");
    }
}
