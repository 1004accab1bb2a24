//! Structured logs.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt};

use crate::{Environment, SettingError};

/// The runtime logs each failure a second time, outside the span of its invocation.
const REPEATED: &str = "lambda_runtime::layers::panic=off";

/// Writes logs to stdout from here on: one JSON object a line, with `timestamp`, `level` and `message` where Lambda looks
/// for them. Plain text where `AWS_LAMBDA_LOG_FORMAT` asks for it, as Lambda does for `LogFormat: Text`.
///
/// `RUST_LOG` chooses what is logged, else `AWS_LAMBDA_LOG_LEVEL`, else everything from `info` up.
pub(crate) fn init(environment: &Environment) -> Result<(), SettingError> {
    let filter = filter(environment);
    let chosen = filter.clone().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    // Not `EnvFilter`: its regular expressions would be a megabyte in every function.
    let registry = tracing_subscriber::registry().with(chosen);
    let lines = tracing_subscriber::fmt::layer();
    // Another subscriber is there when several functions start in one process, as in tests. The first one stays.
    let _ = if is_text(environment) {
        tracing::subscriber::set_global_default(registry.with(lines.with_ansi(false)))
    } else {
        let lines = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
        tracing::subscriber::set_global_default(registry.with(lines))
    };
    filter.map(drop)
}

/// A word that is neither is no reason not to start: the format is Lambda's to say.
fn is_text(environment: &Environment) -> bool {
    environment.optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"))
}

fn filter(environment: &Environment) -> Result<Targets, SettingError> {
    let (variable, expected, filter) = match environment.optional("RUST_LOG") {
        Some(filter) => ("RUST_LOG", "a level or a log filter", filter),
        None => (
            "AWS_LAMBDA_LOG_LEVEL",
            "one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
            match environment.optional("AWS_LAMBDA_LOG_LEVEL") {
                // Lambda knows a level above `error`, Rust does not.
                Some(level) if level == "FATAL" => "ERROR".to_owned(),
                Some(level) => level,
                None => "INFO".to_owned(),
            },
        ),
    };
    format!("{filter},{REPEATED}").parse::<Targets>().map_err(|error| SettingError::Invalid {
        variable: variable.to_owned(),
        expected: expected.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_comes_from_the_environment() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[], "info"),
            (&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")], "debug"),
            (&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")], "error"),
            (&[("RUST_LOG", "warn"), ("AWS_LAMBDA_LOG_LEVEL", "DEBUG")], "warn"),
            (&[("RUST_LOG", "check_size=trace")], "check_size=trace"),
        ];
        for (variables, expected) in cases {
            let filter = filter(&Environment::of(variables.iter().copied())).unwrap().to_string();
            let mut directives: Vec<&str> = filter.split(',').collect();
            directives.retain(|directive| *directive != REPEATED);
            assert_eq!(directives, [*expected], "{variables:?}");
        }
    }

    #[test]
    fn logs_are_json_unless_text_is_asked_for() {
        for (format, text) in [(None, false), (Some("JSON"), false), (Some("Text"), true)] {
            let environment = Environment::of(format.map(|format| ("AWS_LAMBDA_LOG_FORMAT", format)));
            assert_eq!(is_text(&environment), text, "{format:?}");
        }
    }

    #[test]
    fn a_wrong_level_is_an_error_that_names_the_variable() {
        for variable in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
            let error = filter(&Environment::of([(variable, "a=b=c")])).unwrap_err();
            assert!(error.to_string().contains(variable), "{error}");
        }
    }
}
