//! The tags of functions: kept and told again.

use std::{collections::BTreeMap, sync::Arc};

use http::{StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Management,
    error::ApiError,
    request::{empty, parameters},
};
use crate::{lambda::deployed::Deployed, service::Response, wire};

/// How many tags a function can have.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Given {
    tags: BTreeMap<String, String>,
}

impl Management {
    pub(super) fn list_tags(&self, arn: &str) -> Result<Response, ApiError> {
        let tags = self.with(arn, |entry| Ok(entry.latest.about.tags.clone()))?;
        Ok(wire::json(StatusCode::OK, &json!({ "Tags": tags })))
    }

    pub(super) fn tag(&self, arn: &str, body: &[u8]) -> Result<Response, ApiError> {
        let Given { tags } = parameters(body)?;
        self.retag(arn, |all| all.extend(tags))
    }

    pub(super) fn untag(&self, arn: &str, parts: &Parts) -> Result<Response, ApiError> {
        let pairs = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let keys = pairs.filter(|(name, _)| *name == "tagKeys");
        let keys: Vec<String> = keys.map(|(_, key)| percent_decode_str(key).decode_utf8_lossy().into_owned()).collect();
        self.retag(arn, |all| all.retain(|key, _| !keys.contains(key)))
    }

    fn retag(&self, arn: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<Response, ApiError> {
        self.change(arn, |entry| {
            let mut about = entry.latest.about.clone();
            change(&mut about.tags);
            if about.tags.len() > MOST {
                return Err(ApiError::invalid_parameter(format!("A function has at most {MOST} tags.")));
            }
            let Deployed { function, version, code, revision, pool, .. } = &*entry.latest;
            entry.latest = Arc::new(Deployed {
                function: function.clone(),
                version: *version,
                about,
                code: code.clone(),
                revision: revision.clone(),
                pool: Arc::clone(pool),
            });
            Ok(())
        })?;
        Ok(empty(StatusCode::NO_CONTENT, &Uuid::new_v4().to_string()))
    }
}
