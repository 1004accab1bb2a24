//! Runs Step Functions workflows and their Lambda functions on this machine.
//!
//! The command line: [`commands`] has a module for each command, [`project`] what they share, [`terminal`] what a person
//! sees while something runs, [`problems`] what is told when a project can't run.

pub mod commands;
pub mod demo;
pub mod error;
pub mod left_out;
pub mod needed;
pub mod problems;
pub mod project;
pub mod record;
pub mod refused;
pub mod replay;
pub mod signals;
pub mod sources;
pub mod terminal;

/// A problem as text, with its place in the source where it has one.
pub fn report(problem: &problems::Problem) -> String {
    let mut text = String::new();
    let theme = miette::GraphicalTheme::unicode();
    // Writing to a String can't fail.
    let _ = miette::GraphicalReportHandler::new_themed(theme).with_links(false).render_report(&mut text, problem);
    text
}
