//! From a place in a definition to a place in a file.

use std::fs;

use crate::{
    Application, SourceLocation, StateMachine, definition,
    source::{Source, Span},
    yaml::{self, Data, Field, Node},
};

impl Application {
    /// The place in its file of a value of a state machine's definition, by a JSON Pointer such as
    /// `/States/Check/Next`. Where the pointer leads further than the definition, it is the last place that is there.
    ///
    /// None where the file cannot be read.
    pub fn locate(&self, machine: &StateMachine, pointer: &str) -> Option<SourceLocation> {
        self.find(machine, pointer, |field| match field.value.data {
            // A map or a list is best shown by its key; a scalar is what is looked for itself.
            Data::Scalar(_) => field.value.at,
            Data::Map(_) | Data::List(_) => field.key,
        })
    }

    /// The place in its file of a field's name, as [`Application::locate`] finds that of its value.
    pub fn locate_name(&self, machine: &StateMachine, pointer: &str) -> Option<SourceLocation> {
        self.find(machine, pointer, |field| field.key)
    }

    fn find(&self, machine: &StateMachine, pointer: &str, shown: impl Fn(&Field) -> Span) -> Option<SourceLocation> {
        let text = fs::read_to_string(&machine.definition_file).ok()?;
        let source = Source::new(&machine.definition_file, text);
        let root = yaml::parse(&definition::blanked(&source.text)).ok()?;
        let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        let span = if machine.definition_file == self.template {
            let definition = root.get("Resources")?.get(&machine.logical_id)?.get("Properties")?;
            find(definition.get("Definition").or_else(|| definition.get("DefinitionString"))?, steps, shown)
        } else {
            find(&root, steps, shown)
        };
        Some(source.location(span))
    }
}

fn find(root: &Node, steps: impl Iterator<Item = String>, shown: impl Fn(&Field) -> Span) -> Span {
    let (mut node, mut span) = (root, root.at);
    for step in steps {
        (node, span) = match &node.data {
            Data::Map(map) => match map.get(&step) {
                Some(field) => (&field.value, shown(field)),
                None => return span,
            },
            Data::List(items) => match step.parse::<usize>().ok().and_then(|index| items.get(index)) {
                Some(item) => (item, item.at),
                None => return span,
            },
            Data::Scalar(_) => return span,
        };
    }
    span
}
