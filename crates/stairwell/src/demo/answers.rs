//! Answers to what executions ask a person.

use std::{io, sync::Mutex, thread};

use tokio::sync::oneshot;

use super::plan::{Answer, Question};
use crate::{
    error::Error,
    terminal::{BOLD, painted},
};

/// Who answers: the person at the terminal, or the demo itself, by chance.
pub struct Answers {
    is_asked: bool,
    random: Mutex<fastrand::Rng>,
}

impl Answers {
    /// The person at the terminal and, when the input has ended, the demo itself.
    pub fn asked(seed: u64) -> Self {
        Self { is_asked: true, ..Self::drawn(seed) }
    }

    /// The demo itself: the same seed draws the same answers again.
    pub fn drawn(seed: u64) -> Self {
        Self { is_asked: false, random: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    /// One of the answers to a question.
    pub async fn choose<'q>(&self, question: &'q Question<'_>) -> Result<&'q Answer<'q>, Error> {
        if self.is_asked {
            match ask(question).await.map_err(Error::Runtime)? {
                Some(answer) => return Ok(answer),
                None => crate::tell!("\nThe input has ended: the demo answers by itself"),
            }
        }
        let mut random = self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        random.choice(&question.answers).ok_or_else(|| Error::Runtime(io::ErrorKind::InvalidInput.into()))
    }
}

/// Asks until an answer is typed, or its number; nothing where the input ends before.
async fn ask<'q>(question: &'q Question<'_>) -> io::Result<Option<&'q Answer<'q>>> {
    crate::tell!("\n{}", painted(BOLD, question.text));
    for (number, answer) in (1..).zip(&question.answers) {
        crate::tell!("  {number}  {}", answer.title);
    }
    loop {
        anstream::eprint!("> ");
        let Some(line) = line().await? else { return Ok(None) };
        if let Some(answer) = meant(question, line.trim()) {
            return Ok(Some(answer));
        }
        crate::tell!("Type one of the answers, or its number from 1 to {}", question.answers.len());
    }
}

/// The answer of this number, or the only one that begins so.
fn meant<'q>(question: &'q Question<'_>, typed: &str) -> Option<&'q Answer<'q>> {
    if let Ok(number) = typed.parse::<usize>() {
        return question.answers.get(number.checked_sub(1)?);
    }
    let typed = typed.to_lowercase();
    let mut begin = question.answers.iter().filter(|answer| answer.title.to_lowercase().starts_with(&typed));
    begin.next().filter(|_| !typed.is_empty() && begin.next().is_none())
}

/// A line from the terminal, or nothing at the end of the input. The thread that reads it holds nothing up: it ends with the
/// process.
async fn line() -> io::Result<Option<String>> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|length| (length > 0).then_some(line));
        let _ = sender.send(read);
    });
    receiver.await.unwrap_or(Ok(None))
}
