//! The Lambda function `answer-case`; see the library for what it does.

use std::process::ExitCode;

use answer_case::{AnswerCase, handle};

fn main() -> ExitCode {
    function_kit::start_up(AnswerCase::new, handle)
}
