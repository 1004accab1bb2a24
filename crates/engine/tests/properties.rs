//! What holds for every definition that the checker takes, with any input and any answers.
//!
//! The number of cases is small enough for every run of the tests; `PROPTEST_CASES=20000 cargo test -p engine --test
//! properties` looks further. What fails is made small and kept in `properties.proptest-regressions`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

#[path = "properties/definitions.rs"]
mod definitions;
#[path = "properties/play.rs"]
mod play;
mod support;

use std::sync::Arc;

use asl::{Machine, Value, compile::compile};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

use definitions::{any_json, definition, mutation};
use play::Play;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        max_shrink_iters: 4096,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    /// An execution ends, or waits for something that it has asked for; its history is well formed; and one that is
    /// stepped through the same happenings once more is the same. A state that is warned of to read what is never there is
    /// not left.
    #[test]
    fn an_execution_ends_or_waits_and_can_be_repeated(
        definition in definition(),
        input in any_json(),
        decisions in vec(any::<(u8, u8, u8)>(), 0..60),
        seed: u64,
    ) {
        let compiled = compile(&Value::from(&definition));
        prop_assume!(compiled.machine.is_some());
        let mut play = Play::start(Arc::new(compiled.machine.unwrap()), &input, seed);
        play.check()?;
        for decision in decisions {
            play.decide(decision);
            play.check()?;
        }
        play.stop();
        play.check()?;
        prop_assert!(play.execution.has_ended());
        play.repeat()?;
        play.check_warnings(&compiled.diagnostics)?;
    }

    /// Definitions that are spoilt somewhere are refused or taken, and what is taken can be carried out.
    #[test]
    fn a_spoilt_definition_is_refused_or_runs(
        definition in definition(),
        changes in vec(mutation(), 1..4),
        input in any_json(),
        decisions in vec(any::<(u8, u8, u8)>(), 0..10),
    ) {
        let spoilt = changes.into_iter().fold(definition, |definition, change| change.apply(definition));
        let compiled = compile(&Value::from(&spoilt));
        let errors = compiled.diagnostics.iter().filter(|found| found.severity == asl::Severity::Error).count();
        prop_assert_eq!(compiled.machine.is_none(), errors > 0);
        if let Some(machine) = compiled.machine {
            let mut play = Play::start(Arc::new(machine), &input, 1);
            for decision in decisions {
                play.check()?;
                play.decide(decision);
            }
            play.check()?;
        }
    }

    /// Whatever JSON is given as a definition, something is found to be wrong with it, or nothing.
    #[test]
    fn any_json_can_be_checked(definition in any_json()) {
        let compiled = compile(&Value::from(&definition));
        prop_assert!(compiled.machine.is_some() || !compiled.diagnostics.is_empty());
    }
}

/// Most generated definitions must be taken, or the properties would say little.
#[test]
fn most_definitions_are_taken() {
    use proptest::{
        strategy::{Strategy as _, ValueTree as _},
        test_runner::TestRunner,
    };
    let mut runner = TestRunner::deterministic();
    let strategy = definition();
    let definitions = (0..200).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    let refused: Vec<_> =
        definitions.filter_map(|definition| Machine::compile(&Value::from(&definition)).err()).collect();
    assert!(refused.len() < 20, "{} of 200: {refused:#?}", refused.len());
}
