//! Secrets Manager: the secrets of the template, and those that are made.
//!
//! A secret has its newest value and the one before (`AWSCURRENT`, `AWSPREVIOUS`). Nothing is encrypted, and nothing is
//! rotated. A deleted secret is gone at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    location::Location,
    named::{Described, Named},
    protocol::{Dialect, Failure, Operations, Parameters, after, done, page},
    states::{Store, StoreError},
    tags::{Refusals, Tag, Tags},
};

/// How many secrets a page has at most.
const PAGE: usize = 100;

/// What tags are called that are not taken.
const TAGS: Refusals = Refusals { too_many: "LimitExceededException", invalid: "InvalidParameterException" };

type Answer = Result<Value, Failure>;

/// The secrets.
#[derive(Debug)]
pub struct Secrets {
    location: Location,
    by_name: Named<Secret>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Secret {
    arn: String,
    description: Option<String>,
    /// The newest one first.
    versions: Vec<Version>,
    /// Seconds since 1970.
    created_at: i64,
    #[serde(default)]
    tags: Tags,
    /// Made by the template, which makes it once more at the next start.
    #[serde(skip)]
    is_of_template: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    id: String,
    string: Option<String>,
    /// In Base64.
    binary: Option<String>,
    created_at: i64,
}

impl Secrets {
    /// The secrets that a file has, and those of the template.
    pub fn open(store: Store, location: Location, application: &sam::Application) -> Result<Self, StoreError> {
        let of_template = application.secrets.iter().map(|described| {
            let value = Content { string: Some(described.value.clone()), binary: None };
            let mut secret = Secret::new(described.arn.clone(), None, Tags::default());
            secret.is_of_template = true;
            secret.put(value, None);
            (described.name.clone(), secret)
        });
        Ok(Self { by_name: Named::open(store, of_template)?, location })
    }
}

impl Described for Secret {
    fn is_of_template(&self) -> bool {
        self.is_of_template
    }
}

impl Operations for Secrets {
    const DIALECT: Dialect = Dialect::json("Secrets Manager", 1024 * 1024);

    async fn operate(&self, operation: &str, parameters: Parameters) -> Answer {
        match operation {
            "CreateSecret" => self.create(parameters.read()?),
            "GetSecretValue" => self.get(&parameters.read()?),
            "PutSecretValue" => self.put(parameters.read()?),
            "UpdateSecret" => self.update(parameters.read()?),
            "DescribeSecret" => self.describe(&parameters.read()?),
            "ListSecrets" => Ok(self.list(&parameters.read()?)),
            "DeleteSecret" => self.delete(&parameters.read()?),
            "ListSecretVersionIds" => self.list_versions(&parameters.read()?),
            "GetResourcePolicy" => self.get_policy(&parameters.read()?),
            "TagResource" => self.tag(parameters.read()?),
            "UntagResource" => self.untag(&parameters.read()?),
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}

/// What a secret says: a text, or bytes in Base64.
struct Content {
    string: Option<String>,
    binary: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    name: String,
    client_request_token: Option<String>,
    description: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    /// Nothing is encrypted.
    #[serde(rename = "KmsKeyId")]
    _key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Get {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    secret_id: String,
    client_request_token: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Update {
    secret_id: String,
    client_request_token: Option<String>,
    description: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    #[serde(rename = "KmsKeyId")]
    _key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfSecret {
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Delete {
    secret_id: String,
    /// A deleted secret is gone at once, whatever these say.
    #[serde(rename = "RecoveryWindowInDays")]
    _window: Option<u32>,
    #[serde(rename = "ForceDeleteWithoutRecovery")]
    _force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListVersions {
    secret_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
    /// Versions without a label are gone.
    #[serde(rename = "IncludeDeprecated")]
    _deprecated: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagSecret {
    secret_id: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UntagSecret {
    secret_id: String,
    tag_keys: Vec<String>,
}

impl Secrets {
    fn create(&self, request: Create) -> Answer {
        let tags = Tags::of_new(request.tags, TAGS)?;
        self.by_name.change(|secrets| {
            if secrets.contains_key(&request.name) {
                let message = format!("The operation failed because the secret {} already exists.", request.name);
                return Err(Failure::new("ResourceExistsException", message));
            }
            let suffix: String = Uuid::new_v4().simple().to_string().chars().take(6).collect();
            let arn = self.location.arn("secretsmanager", &format!("secret:{}-{suffix}", request.name));
            let mut secret = Secret::new(arn.clone(), request.description, tags);
            let mut answer = json!({ "ARN": arn, "Name": request.name });
            if request.secret_string.is_some() || request.secret_binary.is_some() {
                let value = Content { string: request.secret_string, binary: request.secret_binary };
                answer["VersionId"] = json!(secret.put(value, request.client_request_token));
            }
            secrets.insert(request.name, secret);
            Ok(answer)
        })
    }

    fn get(&self, request: &Get) -> Answer {
        let secrets = self.by_name.all();
        let (name, secret) = find(&secrets, &request.secret_id)?;
        let stage = request.version_stage.as_deref();
        let found = secret.versions.iter().enumerate().find(|(index, version)| {
            let is_stage = stage.is_none_or(|stage| stages(*index).contains(&stage));
            let is_current = stage.is_some() || request.version_id.is_some() || *index == 0;
            request.version_id.as_ref().is_none_or(|id| *id == version.id) && is_stage && is_current
        });
        let (index, version) = found.ok_or_else(|| {
            let wanted =
                stage.map_or_else(|| "staging label: AWSCURRENT".to_owned(), |stage| format!("staging label: {stage}"));
            let wanted = request.version_id.as_ref().map_or(wanted, |id| format!("VersionId: {id}"));
            let message = format!("Secrets Manager can't find the specified secret value for {wanted}");
            Failure::new("ResourceNotFoundException", message)
        })?;
        let mut answer = Map::from_iter([
            ("ARN".to_owned(), json!(secret.arn)),
            ("Name".to_owned(), json!(name)),
            ("VersionId".to_owned(), json!(version.id)),
        ]);
        answer.extend(version.string.as_ref().map(|text| ("SecretString".to_owned(), json!(text))));
        answer.extend(version.binary.as_ref().map(|bytes| ("SecretBinary".to_owned(), json!(bytes))));
        answer.insert("VersionStages".to_owned(), json!(stages(index)));
        answer.insert("CreatedDate".to_owned(), json!(version.created_at));
        Ok(answer.into())
    }

    fn put(&self, request: Put) -> Answer {
        let Put { secret_id, client_request_token, secret_string, secret_binary } = request;
        if secret_string.is_some() == secret_binary.is_some() {
            let message = "You must provide either SecretString or SecretBinary.";
            return Err(Failure::new("InvalidRequestException", message));
        }
        self.by_name.change(|secrets| {
            let name = find(secrets, &secret_id)?.0.clone();
            let secret = secrets.get_mut(&name).ok_or_else(not_found)?;
            let version = secret.put(Content { string: secret_string, binary: secret_binary }, client_request_token);
            let answer =
                json!({ "ARN": secret.arn, "Name": name, "VersionId": version, "VersionStages": ["AWSCURRENT"] });
            Ok(answer)
        })
    }

    fn update(&self, request: Update) -> Answer {
        self.by_name.change(|secrets| {
            let name = find(secrets, &request.secret_id)?.0.clone();
            let secret = secrets.get_mut(&name).ok_or_else(not_found)?;
            secret.description = request.description.or_else(|| secret.description.take());
            let mut answer = json!({ "ARN": secret.arn, "Name": name });
            if request.secret_string.is_some() || request.secret_binary.is_some() {
                let value = Content { string: request.secret_string, binary: request.secret_binary };
                answer["VersionId"] = json!(secret.put(value, request.client_request_token));
            }
            Ok(answer)
        })
    }

    fn describe(&self, request: &OfSecret) -> Answer {
        let secrets = self.by_name.all();
        let (name, secret) = find(&secrets, &request.secret_id)?;
        let mut told = secret.told(name);
        let versions = secret.versions.iter().enumerate();
        let versions: Map<String, Value> =
            versions.map(|(index, version)| (version.id.clone(), json!(stages(index)))).collect();
        told["VersionIdsToStages"] = versions.into();
        Ok(told)
    }

    fn list(&self, request: &List) -> Value {
        let secrets = self.by_name.all();
        let told = secrets
            .range(after(request.next_token.as_deref()))
            .map(|(name, secret)| (name.as_str(), secret.told(name)));
        page("SecretList", told, request.max_results.unwrap_or(PAGE).min(PAGE))
    }

    fn delete(&self, request: &Delete) -> Answer {
        self.by_name.change(|secrets| {
            let name = find(secrets, &request.secret_id)?.0.clone();
            let secret = secrets.remove(&name).ok_or_else(not_found)?;
            let now = OffsetDateTime::now_utc().unix_timestamp();
            Ok(json!({ "ARN": secret.arn, "Name": name, "DeletionDate": now }))
        })
    }

    fn list_versions(&self, request: &ListVersions) -> Answer {
        let secrets = self.by_name.all();
        let (name, secret) = find(&secrets, &request.secret_id)?;
        let start = request.next_token.as_ref().map_or(0, |last| {
            secret.versions.iter().position(|version| version.id == *last).map_or(0, |index| index + 1)
        });
        let told = secret.versions.iter().enumerate().skip(start).map(|(index, version)| {
            let told = json!({
                "VersionId": version.id,
                "VersionStages": stages(index),
                "CreatedDate": version.created_at,
            });
            (version.id.as_str(), told)
        });
        let mut answer = page("Versions", told, request.max_results.unwrap_or(PAGE).min(PAGE));
        answer["ARN"] = json!(secret.arn);
        answer["Name"] = json!(name);
        Ok(answer)
    }

    /// No secret has a policy: none can be put.
    fn get_policy(&self, request: &OfSecret) -> Answer {
        let secrets = self.by_name.all();
        let (name, secret) = find(&secrets, &request.secret_id)?;
        Ok(json!({ "ARN": secret.arn, "Name": name }))
    }

    fn tag(&self, request: TagSecret) -> Answer {
        self.by_name.change(|secrets| {
            let name = find(secrets, &request.secret_id)?.0.clone();
            secrets.get_mut(&name).ok_or_else(not_found)?.tags.add(request.tags, TAGS)?;
            Ok(done())
        })
    }

    fn untag(&self, request: &UntagSecret) -> Answer {
        self.by_name.change(|secrets| {
            let name = find(secrets, &request.secret_id)?.0.clone();
            secrets.get_mut(&name).ok_or_else(not_found)?.tags.remove(&request.tag_keys);
            Ok(done())
        })
    }
}

impl Secret {
    fn new(arn: String, description: Option<String>, tags: Tags) -> Self {
        let created_at = OffsetDateTime::now_utc().unix_timestamp();
        Self { arn, description, versions: Vec::new(), created_at, tags, is_of_template: false }
    }

    /// Puts a value, and gives the id of its version. The token of a request is that id; one that comes again is done.
    fn put(&mut self, value: Content, token: Option<String>) -> String {
        let id = token.unwrap_or_else(|| Uuid::new_v4().to_string());
        if !self.versions.iter().any(|version| version.id == id) {
            let created_at = OffsetDateTime::now_utc().unix_timestamp();
            let version = Version { id: id.clone(), string: value.string, binary: value.binary, created_at };
            self.versions.insert(0, version);
            self.versions.truncate(2);
        }
        id
    }

    fn told(&self, name: &str) -> Value {
        let mut told = json!({ "ARN": self.arn, "Name": name, "CreatedDate": self.created_at });
        if let Some(description) = &self.description {
            told["Description"] = json!(description);
        }
        if !self.tags.is_empty() {
            told["Tags"] = self.tags.list();
        }
        if let Some(version) = self.versions.first() {
            told["LastChangedDate"] = json!(version.created_at);
        }
        told
    }
}

/// The labels of the newest version, and of the one before.
fn stages(index: usize) -> &'static [&'static str] {
    if index == 0 { &["AWSCURRENT"] } else { &["AWSPREVIOUS"] }
}

/// A secret by its name or its ARN, which may be without the characters that the service has put to its end.
fn find<'a>(secrets: &'a BTreeMap<String, Secret>, id: &str) -> Result<(&'a String, &'a Secret), Failure> {
    let is_meant = |(_, secret): &(&String, &Secret)| {
        secret.arn == id || secret.arn.rsplit_once('-').is_some_and(|(without, _)| without == id)
    };
    secrets.get_key_value(id).or_else(|| secrets.iter().find(is_meant)).ok_or_else(not_found)
}

fn not_found() -> Failure {
    Failure::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}
