//! STS: who calls. Everybody is the root user of the local account, for nothing is authorized here.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    location::Location,
    protocol::{Dialect, Failure, JSON_1_1, Names, Operations, Parameters},
};

/// STS, of which callers can be told who they are.
#[derive(Debug)]
pub struct Sts {
    location: Location,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Sts {
    /// STS of an account.
    pub fn new(location: Location) -> Self {
        Self { location }
    }
}

impl Operations for Sts {
    const DIALECT: Dialect = Dialect {
        title: "STS",
        content_type: JSON_1_1,
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
        max_body: 64 * 1024,
        names: Names::NONE,
    };

    async fn operate(&self, operation: &str, parameters: Parameters) -> Result<Value, Failure> {
        match operation {
            "GetCallerIdentity" => {
                let Nothing {} = parameters.read()?;
                let account = &self.location.account;
                Ok(json!({ "Arn": format!("arn:aws:iam::{account}:root"), "UserId": account, "Account": account }))
            }
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}
