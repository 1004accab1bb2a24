//! What Map states say of child executions and their data.

use std::sync::Arc;

use super::{
    diagnostic::{Code, Diagnostic, Findings},
    fields::{Fields, Language, Reads},
};
use crate::{
    distributed::{
        Dataset, Distributed, ExecutionType, Invalid, ItemBatcher, ItemReader, MAX_LABEL, ResultWriter, WriterConfig,
    },
    machine::{Count, Graph, Kind, Machine, Processing},
    template::Template,
    value::{Object, Value},
};

/// The fields that only a distributed Map state has.
const FIELDS: &[&str] = &["ItemReader", "ItemBatcher", "ResultWriter", "Label"];

/// Characters that a `Label` can't have, beside blanks.
const NOT_IN_LABEL: &str = "?*<>{}[]:;,\\|^~$#%&`\"";

/// The largest `MaxItems`.
const MAX_ITEMS: u64 = 100_000_000;

/// The largest number that stands for one of items or bytes in a batch.
const MAX_NUMBER: u64 = i64::MAX as u64;

/// `ProcessorConfig`: inline is what a Map state is without it.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    Inline,
    Distributed(ExecutionType),
}

pub(super) fn mode(processor: &mut Fields<'_>) -> Option<Mode> {
    const NAME: &str = "ProcessorConfig";
    let Some(value) = processor.take(NAME) else { return Some(Mode::Inline) };
    let mut config = processor.inner(NAME, &value)?;
    let execution_type = execution_type(&mut config);
    let has_mode = config.has("Mode");
    let mode = match config.one_of("Mode", &["INLINE", "DISTRIBUTED"]) {
        Some("DISTRIBUTED") => {
            config.require("ExecutionType");
            execution_type.map(Mode::Distributed)
        }
        None if has_mode => None,
        None | Some(_) => {
            if config.has("ExecutionType") {
                config.error("ExecutionType", "Only the processing mode DISTRIBUTED has an 'ExecutionType'");
            }
            Some(Mode::Inline)
        }
    };
    config.close();
    mode
}

fn execution_type(config: &mut Fields<'_>) -> Option<ExecutionType> {
    match config.one_of("ExecutionType", &["STANDARD", "EXPRESS"])? {
        "EXPRESS" => Some(ExecutionType::Express),
        _ => Some(ExecutionType::Standard),
    }
}

/// Reads what comes with the mode. `source` is the processor as it is written, `language` the machine's.
pub(super) fn processing(
    mode: Option<Mode>,
    graph: Option<&Arc<Graph>>,
    source: &Value,
    language: Language,
    fields: &mut Fields<'_>,
) -> Option<Processing> {
    let execution_type = match mode {
        None => {
            for name in FIELDS {
                fields.take(name);
            }
            return None;
        }
        Some(Mode::Inline) => {
            for name in FIELDS {
                fields.take(name);
                if fields.has(name) {
                    let message = format!("Field '{name}' is only supported for the processing mode 'DISTRIBUTED'");
                    fields.field_error(name, message, None);
                }
            }
            return Some(Processing::Inline);
        }
        Some(Mode::Distributed(execution_type)) => execution_type,
    };
    let label = label(fields);
    let reader = fields.has("ItemReader").then(|| reader(fields));
    let batcher = fields.has("ItemBatcher").then(|| batcher(fields));
    let writer = if fields.has("ResultWriter") { writer(fields) } else { Some(ResultWriter::default()) };
    let graph = graph?.clone();
    let machine = Machine { comment: None, timeout_seconds: None, has_jsonata: super::has_jsonata(&graph), graph };
    Some(Processing::Distributed(Arc::new(Distributed {
        label,
        execution_type,
        machine: Arc::new(machine),
        definition: definition(source, language),
        // What is there and can't be used was reported.
        reader: reader.flatten(),
        batcher: batcher.flatten(),
        writer: writer?,
    })))
}

/// Checks that no two Map states have the same label.
pub(super) fn check_labels(machine: &Machine, findings: &mut Findings) {
    let mut labels = Vec::new();
    for state in machine.states() {
        let Kind::Map(map) = &state.kind else { continue };
        let Processing::Distributed(distributed) = &map.processing else { continue };
        let Some(label) = &distributed.label else { continue };
        if labels.contains(&label) {
            let message = format!("Label '{label}' is not unique in the state machine");
            let at = format!("{}/Label", state.location);
            findings.add(Diagnostic::error(Code::DuplicateLabelName, message, at));
        }
        labels.push(label);
    }
}

/// The processor as the definition of a machine.
fn definition(source: &Value, language: Language) -> Value {
    let mut fields = Object::from_iter([("QueryLanguage".into(), language.name().into())]);
    for name in ["StartAt", "States"] {
        fields.extend(source.get(name).map(|value| (name.into(), value.clone())));
    }
    fields.into()
}

fn label(fields: &mut Fields<'_>) -> Option<Arc<str>> {
    const NAME: &str = "Label";
    let label = fields.text(NAME)?;
    let wrong = |c: char| c.is_whitespace() || c.is_control() || NOT_IN_LABEL.contains(c);
    let message = if label.is_empty() {
        Some("Label cannot be empty".to_owned())
    } else if label.chars().count() > MAX_LABEL {
        Some(format!("Label cannot exceed {MAX_LABEL} characters"))
    } else {
        label.chars().find(|c| wrong(*c)).map(|found| format!("Label cannot contain the character {found:?}"))
    };
    if let Some(message) = message {
        fields.findings.error(Code::InvalidLabelName, &fields.at.child(NAME), message);
    }
    Some(label)
}

fn reader(fields: &mut Fields<'_>) -> Option<ItemReader> {
    const NAME: &str = "ItemReader";
    let value = fields.take(NAME)?;
    let mut reader = fields.inner(NAME, &value)?;
    reader.require("Resource");
    let resource = reader.text("Resource");
    let config = reader.take("ReaderConfig");
    let dataset = resource.and_then(|resource| {
        Dataset::parse(&resource, config.as_ref()).map_err(|invalid| report(&invalid, &mut reader)).ok()
    });
    let max_items = match (&config, &dataset) {
        (Some(config), Some(_)) => max_items(config, &mut reader),
        _ => None,
    };
    let parameters = parameters(true, &mut reader);
    reader.close();
    Some(ItemReader { dataset: dataset?, parameters: parameters?, max_items })
}

fn max_items(config: &Value, reader: &mut Fields<'_>) -> Option<Count> {
    // The other fields are the dataset's, which has read them.
    reader.inner("ReaderConfig", config)?.count_or_expression("MaxItems", "MaxItemsPath", 0..=MAX_ITEMS)
}

fn batcher(fields: &mut Fields<'_>) -> Option<ItemBatcher> {
    const NAME: &str = "ItemBatcher";
    const LIMITS: [(&str, &str); 2] =
        [("MaxItemsPerBatch", "MaxItemsPerBatchPath"), ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")];
    let value = fields.take(NAME)?;
    let mut batcher = fields.inner(NAME, &value)?;
    if !LIMITS.iter().any(|(name, path)| batcher.has(name) || batcher.has(path)) {
        batcher.object_error("These fields are required: [MaxItemsPerBatch] or [MaxInputBytesPerBatch]");
    }
    let [max_items, max_bytes] = LIMITS.map(|(name, path)| batcher.count_or_expression(name, path, 0..=MAX_NUMBER));
    let batch_input = batcher.template("BatchInput", Reads::Input);
    batcher.close();
    Some(ItemBatcher { max_items, max_bytes, batch_input })
}

fn writer(fields: &mut Fields<'_>) -> Option<ResultWriter> {
    const NAME: &str = "ResultWriter";
    let value = fields.take(NAME)?;
    let mut writer = fields.inner(NAME, &value)?;
    let resource = writer.text("Resource");
    let config = writer.take("WriterConfig");
    let parsed = WriterConfig::parse(resource.as_deref(), config.as_ref());
    let written = match parsed.map_err(|invalid| report(&invalid, &mut writer)).ok() {
        Some(WriterConfig::State(transformation)) => Some(ResultWriter::State(transformation)),
        Some(WriterConfig::Export(transformation, output_type)) => parameters(true, &mut writer)
            .map(|parameters| ResultWriter::Export { transformation, output_type, parameters }),
        None => {
            parameters(false, &mut writer);
            None
        }
    };
    writer.close();
    written
}

/// The parameters of a call of S3: `Parameters`, in JSONata `Arguments`.
fn parameters(required: bool, fields: &mut Fields<'_>) -> Option<Template> {
    let (name, other) = match fields.language {
        Language::JsonPath => ("Parameters", "Arguments"),
        Language::Jsonata => ("Arguments", "Parameters"),
    };
    match fields.language {
        Language::JsonPath => fields.refuse_jsonata(&[other]),
        Language::Jsonata => fields.refuse_json_path(&[other]),
    }
    if required {
        fields.require(name);
    }
    fields.template(name, Reads::Input)
}

fn report(invalid: &Invalid, fields: &mut Fields<'_>) {
    let names = invalid.field.split('/').filter(|name| !name.is_empty());
    let at = names.fold(fields.at.clone(), |at, name| at.child(name));
    fields.findings.error(Code::SchemaValidationFailed, &at, invalid.message.clone());
}
