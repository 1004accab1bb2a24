//! Functions that follow their sources while the application runs, and what is told of it.

use std::{path::PathBuf, sync::Arc};

use cloud::lambda::{FollowError, Followed, Lambda, follow};
use sam::Application;

use crate::{
    project::build_options,
    terminal::{BOLD, DIM, GREEN, RED, YELLOW, painted},
};

/// Puts what changes of an application's functions in the place of what runs, until this is dropped. What of the template and
/// its definitions changes is told: it is there after a restart.
pub async fn follow_sources(lambda: Arc<Lambda>, application: Application, release: bool) {
    let definitions = application.state_machines.iter().map(|machine| machine.definition_file.clone());
    let mut others: Vec<PathBuf> = definitions.chain([application.template.clone()]).collect();
    others.sort();
    others.dedup();
    let options = build_options(release);
    if let Err(error) = follow(&lambda, &application.functions, others, &options, |told| tell(&application, told)).await
    {
        crate::tell!("{} {error}. A change of a function is there after a restart", painted(YELLOW, "notice:"));
    }
}

fn tell(application: &Application, followed: Followed) {
    match followed {
        Followed::Watching => {}
        Followed::Replaced { functions, took } => {
            let of = |name: &String| application.functions.iter().find(|function| function.name == *name);
            let names = functions.iter().map(|name| of(name).map_or(name.as_str(), |function| &function.logical_id));
            let names = names.collect::<Vec<_>>().join(", ");
            let took = painted(DIM, format_args!("in {:.1} s", took.as_secs_f64()));
            crate::tell!("{} {}: the change is in place {took}", painted(GREEN, "✓"), painted(BOLD, names));
        }
        Followed::Kept(error) => {
            let before = match &error {
                FollowError::Handler { .. } => "a process that has loaded the code before it goes on, a new one fails",
                _ => "the build before it goes on answering",
            };
            crate::tell!("{} {error}\nThe change is not in place: {before}", painted(RED, "error:"));
        }
        Followed::Other(path) => {
            let file = path.file_name().unwrap_or(path.as_os_str()).display();
            crate::tell!("{} {file} has changed: start `stairwell up` again for it", painted(YELLOW, "notice:"));
        }
    }
}
