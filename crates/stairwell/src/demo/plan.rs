//! The script with everything that it names found: nothing is started for a script that can't be carried out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use cloud::states::{Start, Status};
use http::Method;
use sam::{Application, StateMachine};

use super::script::{self, Action, Document, Script, Step, Workflow};
use crate::error::Error;

/// What a demo does, in this order.
pub type Plan<'a> = Vec<Act<'a>>;

/// What is shown of one workflow.
pub struct Act<'a> {
    /// What it is about.
    pub title: &'a str,
    /// What is done, in this order.
    pub scenes: Vec<Scene<'a>>,
    /// What it produces that somebody may want to look at.
    pub produces: Vec<Highlight<'a>>,
}

/// Objects that somebody may want to look at.
pub struct Highlight<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// What their keys end with.
    pub ending: &'a str,
}

/// One thing that is done, and the execution that comes of it.
pub struct Scene<'a> {
    /// What happens, for the reader.
    pub title: &'a str,
    /// What is done.
    pub deed: Deed,
    /// The state machine of the execution.
    pub machine: &'a StateMachine,
    /// How the execution ends.
    pub end: End<'a>,
}

/// How an execution ends.
#[derive(Clone, Copy)]
pub struct Ending<'a> {
    /// With which status.
    pub status: Status,
    /// In which state, where the script says so.
    pub state: Option<&'a str>,
    /// In which state where an earlier run has done the same, where the script says so.
    pub again: Option<&'a str>,
}

/// What an execution's end comes from.
pub enum End<'a> {
    /// From itself.
    As(Ending<'a>),
    /// As it is answered.
    Asked(Question<'a>),
}

/// What an execution asks a person.
pub struct Question<'a> {
    /// The state that waits for the answer.
    pub state: &'a str,
    /// The question.
    pub text: &'a str,
    /// What may be answered: at least one thing.
    pub answers: Vec<Answer<'a>>,
}

/// What a person may answer.
pub struct Answer<'a> {
    /// The answer.
    pub title: &'a str,
    /// What hands it over.
    pub message: Message,
    /// How the execution ends then.
    pub end: Ending<'a>,
}

/// A request to the local cloud.
pub struct Message {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Its body.
    pub body: Body,
}

/// The body of a request.
pub enum Body {
    /// What this file has.
    File(PathBuf),
    /// This text.
    Text(String),
}

/// What is done.
pub enum Deed {
    /// A request is sent.
    Send(Message),
    /// An execution is started with this input.
    Start {
        /// The input, which is JSON.
        input: String,
    },
}

/// Finds all that a script names, or tells everything that is not there.
pub fn plan<'a>(script: &'a Script, file: &'a Path, application: &'a Application) -> Result<Plan<'a>, Error> {
    let mut finder = Finder { application, folder: file.parent().unwrap_or(Path::new("")), problems: BTreeSet::new() };
    let plan = script
        .values()
        .map(|workflow| Act {
            title: &workflow.title,
            scenes: workflow.steps.iter().filter_map(|step| finder.scene(step)).collect(),
            produces: finder.highlights(workflow),
        })
        .collect();
    if finder.problems.is_empty() {
        return Ok(plan);
    }
    Err(Error::Script { file: file.to_owned(), problems: finder.problems.into_iter().collect() })
}

struct Finder<'a> {
    application: &'a Application,
    folder: &'a Path,
    /// Each is told once, however many steps have it.
    problems: BTreeSet<String>,
}

impl<'a> Finder<'a> {
    fn scene(&mut self, step: &'a Step) -> Option<Scene<'a>> {
        let machines = &self.application.state_machines;
        let machine = self.named("state machine", &step.expect.state_machine, machines, |machine| &machine.logical_id);
        let deed = self.deed(&step.action);
        let end = self.end(step, machine);
        Some(Scene { title: &step.title, deed: deed?, machine: machine?, end: end? })
    }

    fn highlights(&mut self, workflow: &'a Workflow) -> Vec<Highlight<'a>> {
        let mut highlights = Vec::new();
        for (bucket, endings) in &workflow.produces {
            let buckets = &self.application.buckets;
            let Some(bucket) = self.named("bucket", bucket, buckets, |bucket| &bucket.logical_id) else { continue };
            highlights.extend(endings.iter().map(|ending| Highlight { bucket: &bucket.name, ending }));
        }
        highlights
    }

    fn end(&mut self, step: &'a Step, machine: Option<&StateMachine>) -> Option<End<'a>> {
        match (&step.expect.status, &step.ask) {
            (Some(status), None) => {
                let (state, again) = (step.expect.state.as_deref(), step.expect.again.as_deref());
                self.ending(status, [state, again], machine).map(End::As)
            }
            (None, Some(question)) if !question.answers.is_empty() => {
                let answers: Vec<_> = question.answers.iter().map(|answer| self.answer(answer, machine)).collect();
                let answers = answers.into_iter().collect::<Option<_>>()?;
                Some(End::Asked(Question { state: &question.state, text: &question.question, answers }))
            }
            _ => {
                let title = &step.title;
                self.problems.insert(format!(
                    "the step '{title}' must either expect a status, or ask with an answer that has one"
                ));
                None
            }
        }
    }

    fn answer(&mut self, answer: &'a script::Answer, machine: Option<&StateMachine>) -> Option<Answer<'a>> {
        let end = self.ending(&answer.status, [answer.state.as_deref(), None], machine);
        match self.deed(&answer.action)? {
            Deed::Send(message) => Some(Answer { title: &answer.title, message, end: end? }),
            Deed::Start { .. } => {
                let title = &answer.title;
                self.problems.insert(format!("the answer '{title}' starts an execution, which hands nothing over"));
                None
            }
        }
    }

    fn deed(&mut self, action: &Action) -> Option<Deed> {
        match action {
            Action::Put { bucket, key, file } => {
                let bucket = self.named("bucket", bucket, &self.application.buckets, |bucket| &bucket.logical_id);
                let body = self.file(file);
                Some(Deed::Send(Message {
                    method: Method::PUT,
                    path: format!("/{}/{key}", bucket?.name),
                    body: Body::File(body?),
                }))
            }
            Action::Request { api, method, path, body } => {
                let found = self.named("API", api, &self.application.apis, |api| &api.logical_id);
                let (method, body) = (self.method(method), self.document(body));
                found?;
                Some(Deed::Send(Message { method: method?, path: format!("/_api/{api}{path}"), body: body? }))
            }
            Action::Start { input } => {
                let (shown, text) = match self.document(input)? {
                    Body::File(path) => (path.display().to_string(), fs::read_to_string(&path)),
                    Body::Text(text) => ("an object of the script".to_owned(), Ok(text)),
                };
                let checked = text.map_err(|error| format!("cannot read {shown}: {error}")).and_then(|input| {
                    match (Start { input: Some(&input), ..Start::default() }).check() {
                        Ok(()) => Ok(input),
                        Err(error) => Err(format!("{shown} cannot be the input of an execution: {error}")),
                    }
                });
                checked.map_err(|problem| self.problems.insert(problem)).ok().map(|input| Deed::Start { input })
            }
        }
    }

    fn named<'t, T>(&mut self, kind: &str, name: &str, all: &'t [T], name_of: impl Fn(&T) -> &String) -> Option<&'t T> {
        let found = all.iter().find(|one| name_of(one) == name);
        if found.is_none() {
            let closest = sam::closest(name, all.iter().map(|one| name_of(one).as_str()));
            let meant = closest.map(|closest| format!(" (did you mean '{closest}'?)")).unwrap_or_default();
            self.problems.insert(format!("the template has no {kind} '{name}'{meant}"));
        }
        found
    }

    /// `states` are the state that it ends in and the one that it ends in again.
    fn ending(
        &mut self,
        status: &str,
        states: [Option<&'a str>; 2],
        machine: Option<&StateMachine>,
    ) -> Option<Ending<'a>> {
        let status = self.status(status);
        if let Some(machine) = machine {
            let known: Vec<_> = machine.definition["States"].as_object().into_iter().flatten().collect();
            for name in states.into_iter().flatten() {
                self.named(&format!("state of {}", machine.logical_id), name, &known, |(name, _)| *name)?;
            }
        }
        let [state, again] = states;
        Some(Ending { status: status?, state, again })
    }

    fn status(&mut self, name: &str) -> Option<Status> {
        const ENDS: [Status; 4] = [Status::Succeeded, Status::Failed, Status::TimedOut, Status::Aborted];
        let found = ENDS.into_iter().find(|status| status.name() == name);
        if found.is_none() {
            let names = ENDS.map(Status::name).join(", ");
            self.problems.insert(format!("'{name}' is not a status that an execution ends with; these are: {names}"));
        }
        found
    }

    fn method(&mut self, name: &str) -> Option<Method> {
        let method = name.parse().ok();
        if method.is_none() {
            self.problems.insert(format!("'{name}' is not an HTTP method"));
        }
        method
    }

    fn document(&mut self, document: &Document) -> Option<Body> {
        match document {
            Document::File(file) => self.file(file).map(Body::File),
            Document::Own(object) => serde_json::to_string(object).ok().map(Body::Text),
        }
    }

    fn file(&mut self, file: &Path) -> Option<PathBuf> {
        let path = self.folder.join(file);
        if path.is_file() {
            return Some(path);
        }
        self.problems.insert(format!("there is no file {}", path.display()));
        None
    }
}
