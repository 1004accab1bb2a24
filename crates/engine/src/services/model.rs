//! What a service's actions take and answer, and how both are sent.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::Deserialize;

/// What a service's actions take and answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How calls are sent; nothing where only answers are known.
    pub protocol: Option<Protocol>,
    /// Whether the service has actions that are not here.
    #[serde(default)]
    pub partial: bool,
    /// The service's name in signatures.
    #[serde(default)]
    pub signing_name: String,
    /// The codes of errors, and the shapes that they stand for.
    #[serde(default)]
    pub errors: HashMap<String, String>,
    /// The actions, by the names that a `Resource` has for them.
    pub actions: HashMap<String, Action>,
    pub(super) shapes: HashMap<String, Shape>,
}

/// How a service's calls are sent.
#[derive(Debug, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Protocol {
    /// AWS JSON: the action in `X-Amz-Target`.
    Json {
        /// The version of JSON: `1.0`.
        version: String,
        /// What the action's name follows: `DynamoDB_20120810`.
        target: String,
    },
    /// A form, answered in XML.
    Query {
        /// The version of the API: `2010-03-31`.
        version: String,
    },
    /// Methods and paths, bodies in JSON.
    RestJson,
    /// Methods and paths, bodies in XML.
    RestXml,
    /// The parameters themselves say what is requested.
    Http,
}

/// What an action takes and answers. Without a shape it is nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The shape of what it takes.
    pub input: Option<String>,
    /// The shape of what it answers.
    pub output: Option<String>,
    /// The method of a REST protocol.
    #[serde(default)]
    pub method: String,
    /// The path of a REST protocol, with its query: `/{Bucket}/{Key+}?tagging`.
    #[serde(default)]
    pub path: String,
    /// Whether the service wants a checksum of the body.
    #[serde(default)]
    pub checksum: bool,
}

/// What a value can be.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Shape {
    /// Whatever JSON there is.
    Any,
    /// `true` or `false`
    Boolean,
    /// A text
    String {
        /// The fewest characters.
        min: Option<usize>,
        /// The most characters.
        max: Option<usize>,
        /// The only texts that it can be.
        #[serde(rename = "enum")]
        values: Option<Vec<String>>,
    },
    /// Bytes
    Blob {
        /// The fewest of them.
        min: Option<usize>,
        /// The most of them.
        max: Option<usize>,
    },
    /// A moment
    Timestamp {
        /// How it is sent, where that is not as its place has it.
        format: Option<TimestampFormat>,
    },
    /// A number
    Number {
        /// The least.
        min: Option<f64>,
        /// The greatest.
        max: Option<f64>,
    },
    /// An array
    List {
        /// Each element.
        item: Member,
        /// Of XML and forms: whether the items have no element around them.
        #[serde(default)]
        flat: bool,
    },
    /// An object whose keys are data
    Map {
        /// Each key.
        key: Member,
        /// Each value.
        value: Member,
        /// Of XML and forms: whether the entries have no element around them.
        #[serde(default)]
        flat: bool,
    },
    /// An object whose fields are known
    Structure(Structure),
}

/// An object whose fields are known.
#[derive(Debug, Default, Deserialize)]
pub struct Structure {
    /// The fields, by the service's own names.
    pub members: IndexMap<String, Member>,
    /// Those that must be there.
    #[serde(default)]
    pub required: Vec<String>,
    /// The member that is the whole body.
    pub payload: Option<String>,
}

/// How a moment is written, where it is not as the protocol has it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2024-01-31T23:59:59Z`
    #[serde(rename = "iso8601")]
    Iso8601,
    /// `Wed, 31 Jan 2024 23:59:59 GMT`
    #[serde(rename = "rfc822")]
    Rfc822,
    /// Seconds since 1970
    #[serde(rename = "unixTimestamp")]
    Epoch,
}

/// A part of a value: what it can be, and how it is sent.
#[derive(Debug, Deserialize)]
#[serde(from = "Said")]
pub struct Member {
    pub(super) shape: String,
    /// The name that it is sent under, where that is not its own.
    sent_as: Option<String>,
    /// Where it is sent.
    pub place: Place,
    /// Whether it is an attribute of its XML element.
    pub attribute: bool,
    /// The XML namespace of its element.
    pub namespace: Option<String>,
    /// Whether the SDK gives it, if nobody else does: a token by which a repeated call is known.
    pub token: bool,
}

impl Member {
    /// The name that a member of this name is sent under.
    pub fn sent_as<'a>(&'a self, name: &'a str) -> &'a str {
        self.sent_as.as_deref().unwrap_or(name)
    }
}

/// Where a member is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the body, or as the whole body.
    #[default]
    Body,
    /// As a header.
    Header,
    /// All headers whose names begin so, as a map.
    Headers,
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// It is the status of the answer.
    Status,
}

/// A member as it is written in a model.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Shape(String),
    Sent(Sent),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    shape: String,
    #[serde(rename = "as")]
    name: Option<String>,
    #[serde(rename = "in", default)]
    place: Place,
    #[serde(default)]
    attribute: bool,
    namespace: Option<String>,
    #[serde(default)]
    token: bool,
}

impl From<Said> for Member {
    fn from(said: Said) -> Self {
        match said {
            Said::Shape(shape) => {
                Self { shape, sent_as: None, place: Place::Body, attribute: false, namespace: None, token: false }
            }
            Said::Sent(Sent { shape, name, place, attribute, namespace, token }) => {
                Self { shape, sent_as: name, place, attribute, namespace, token }
            }
        }
    }
}

impl Model {
    /// What a name of a shape stands for. Names that are none stand for anything; a test makes sure that there are none.
    pub fn shape(&self, name: &str) -> &Shape {
        match name {
            "boolean" => &Shape::Boolean,
            "string" => &Shape::String { min: None, max: None, values: None },
            "blob" => &Shape::Blob { min: None, max: None },
            "timestamp" => &Shape::Timestamp { format: None },
            "number" => &Shape::Number { min: None, max: None },
            name => self.shapes.get(name).unwrap_or(&Shape::Any),
        }
    }

    /// What a part of a value can be.
    pub fn of(&self, member: &Member) -> &Shape {
        self.shape(&member.shape)
    }

    /// The fields of what an action takes, or of what it answers.
    pub fn structure(&self, name: Option<&str>) -> Option<&Structure> {
        match self.shape(name?) {
            Shape::Structure(structure) => Some(structure),
            _ => None,
        }
    }
}
