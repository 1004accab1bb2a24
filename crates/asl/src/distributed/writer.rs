//! What a `ResultWriter` field may say.

use super::{Invalid, dataset::one_of};
use crate::value::Value;

/// What a result looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transformation {
    /// `NONE`: the output with all that is known of the execution.
    None,
    /// `COMPACT`: the output.
    Compact,
    /// `FLATTEN`: the output; the elements of one that is an array.
    Flatten,
}

/// What a result file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputType {
    /// `JSON`: one array.
    Json,
    /// `JSONL`: a line for each result.
    Jsonl,
}

/// A `ResultWriter` field, apart from its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterConfig {
    /// The results are the state's result.
    State(Transformation),
    /// The results go to S3, and the state's result says where they are.
    Export(Transformation, OutputType),
}

impl WriterConfig {
    /// Reads `Resource` and `WriterConfig`; one of them must be there.
    pub fn parse(resource: Option<&str>, config: Option<&Value>) -> Result<Self, Invalid> {
        let config = config.map(Config::parse).transpose()?;
        match (resource, config) {
            (None, None) => {
                Err(Invalid::new("", "These fields are required: [WriterConfig] or [Resource, Parameters]"))
            }
            (None, Some(Config { output_type: Some(OutputType::Jsonl), .. })) => Err(Invalid::new(
                "WriterConfig/OutputType",
                "A state's result can't be JSONL: results must be exported",
            )),
            (None, Some(config)) => Ok(Self::State(config.transformation.unwrap_or(Transformation::Compact))),
            (Some(resource), config) => {
                if !matches!(
                    resource.splitn(6, ':').collect::<Vec<_>>().as_slice(),
                    ["arn", _, "states", "", "", "s3:putObject"]
                ) {
                    return Err(Invalid::new(
                        "Resource",
                        format!("The resource provided {resource} is not recognized"),
                    ));
                }
                let config = config.unwrap_or_default();
                let transformation = config.transformation.unwrap_or(Transformation::None);
                Ok(Self::Export(transformation, config.output_type.unwrap_or(OutputType::Json)))
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Config {
    transformation: Option<Transformation>,
    output_type: Option<OutputType>,
}

impl Config {
    fn parse(value: &Value) -> Result<Self, Invalid> {
        let Value::Object(fields) = value else {
            return Err(Invalid::new("WriterConfig", "Expected value of type [OBJECT]"));
        };
        let mut config = Self::default();
        for (name, value) in fields.iter() {
            let invalid = |message: &str| Invalid::new(format!("WriterConfig/{name}"), message);
            let text = value.as_str().ok_or_else(|| invalid("Expected value of type [STRING]"));
            match &**name {
                "Transformation" => {
                    config.transformation = Some(match text? {
                        "NONE" => Transformation::None,
                        "COMPACT" => Transformation::Compact,
                        "FLATTEN" => Transformation::Flatten,
                        _ => return Err(invalid(&one_of(&["NONE", "COMPACT", "FLATTEN"]))),
                    });
                }
                "OutputType" => {
                    config.output_type = Some(match text? {
                        "JSON" => OutputType::Json,
                        "JSONL" => OutputType::Jsonl,
                        _ => return Err(invalid(&one_of(&["JSON", "JSONL"]))),
                    });
                }
                _ => return Err(invalid("Field is not supported")),
            }
        }
        Ok(config)
    }
}
