//! The policy of a function: kept and told again. Nobody is kept from calling a function here, with a permission or without.

use std::collections::BTreeMap;

use http::{StatusCode, request::Parts};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Management,
    error::ApiError,
    request::{empty, parameters, qualified, query},
};
use crate::{service::Response, wire};

/// The statements of a function's policies by their ids, for each qualifier that has some; that of the function is empty.
pub(crate) type Policies = BTreeMap<String, BTreeMap<String, Value>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Permission {
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    event_source_token: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    revision_id: Option<String>,
}

impl Permission {
    /// The statement that it is in a policy.
    fn statement(&self, resource: &str) -> Value {
        let principal = match self.principal.as_str() {
            "*" => json!("*"),
            service if service.ends_with(".amazonaws.com") => json!({ "Service": service }),
            account if account.bytes().all(|byte| byte.is_ascii_digit()) => {
                json!({ "AWS": format!("arn:aws:iam::{account}:root") })
            }
            other => json!({ "AWS": other }),
        };
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            "Resource": resource,
        });
        let equal = [
            ("AWS:SourceAccount", &self.source_account),
            ("lambda:EventSourceToken", &self.event_source_token),
            ("lambda:FunctionUrlAuthType", &self.function_url_auth_type),
            ("aws:PrincipalOrgID", &self.principal_org_id),
        ];
        let equal: Map<String, Value> =
            equal.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))).collect();
        let mut conditions = Map::new();
        if !equal.is_empty() {
            conditions.insert("StringEquals".to_owned(), equal.into());
        }
        if let Some(arn) = &self.source_arn {
            conditions.insert("ArnLike".to_owned(), json!({ "AWS:SourceArn": arn }));
        }
        if let Some(by_url) = self.invoked_via_function_url {
            conditions.insert("Bool".to_owned(), json!({ "lambda:InvokedViaFunctionUrl": by_url.to_string() }));
        }
        if !conditions.is_empty() {
            statement["Condition"] = conditions.into();
        }
        statement
    }
}

impl Management {
    pub(super) fn add_permission(&self, name: &str, parts: &Parts, body: &[u8]) -> Result<Response, ApiError> {
        let permission: Permission = parameters(body)?;
        let (reference, qualifier) = self.policy_of(name, parts)?;
        let function = self.latest(&reference, permission.revision_id.as_deref())?.function.arn.clone();
        let resource = if qualifier.is_empty() { function } else { format!("{function}:{qualifier}") };
        let statement = permission.statement(&resource);
        self.change(&reference, |entry| {
            let policy = entry.policies.entry(qualifier).or_default();
            let id = permission.statement_id;
            if policy.contains_key(&id) {
                let message = format!(
                    "The statement id ({id}) provided already exists. Please provide a new statement id, or \
                                       remove the existing statement."
                );
                return Err(ApiError::conflict(message));
            }
            policy.insert(id, statement.clone());
            Ok(())
        })?;
        Ok(wire::json(StatusCode::CREATED, &json!({ "Statement": statement.to_string() })))
    }

    pub(super) fn get_policy(&self, name: &str, parts: &Parts) -> Result<Response, ApiError> {
        let (reference, qualifier) = self.policy_of(name, parts)?;
        let (statements, revision) = self.with(&reference, |entry| {
            let policy = entry.policies.get(&qualifier).filter(|policy| !policy.is_empty());
            let policy = policy.ok_or_else(|| ApiError::not_found("The resource you requested does not exist."))?;
            Ok((policy.values().cloned().collect::<Vec<_>>(), entry.latest.revision.clone()))
        })?;
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Ok(wire::json(StatusCode::OK, &json!({ "Policy": policy.to_string(), "RevisionId": revision })))
    }

    pub(super) fn remove_permission(&self, name: &str, id: &str, parts: &Parts) -> Result<Response, ApiError> {
        let (reference, qualifier) = self.policy_of(name, parts)?;
        self.latest(&reference, query(parts, "RevisionId").as_deref())?;
        self.change(&reference, |entry| {
            let removed = entry.policies.get_mut(&qualifier).and_then(|policy| policy.remove(id));
            let message = format!("Statement {id} is not found in resource policy.");
            removed.map(drop).ok_or_else(|| ApiError::not_found(message))
        })?;
        Ok(empty(StatusCode::NO_CONTENT, &Uuid::new_v4().to_string()))
    }

    /// The function's name, and the qualifier whose policy is meant. Both have to be there.
    fn policy_of(&self, name: &str, parts: &Parts) -> Result<(String, String), ApiError> {
        let reference = qualified(name, parts)?;
        self.registry().find(&reference)?;
        let parsed = self.registry().parse(&reference)?;
        Ok((parsed.name.to_owned(), parsed.qualifier.unwrap_or_default().to_owned()))
    }
}
