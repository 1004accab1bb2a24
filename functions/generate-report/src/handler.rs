//! The handler.

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use function_kit::aws::{self, SdkConfig};
use function_kit::{Amount, Environment, EventTime, INVALID_INPUT, Name, NamedError, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};

use crate::levels::{self, Level};
use crate::page::Page;

/// What is made once, at the start of the process.
pub struct GenerateReport {
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    bucket: String,
    table: String,
}

/// The level that a player has completed.
#[derive(Debug, Deserialize)]
pub struct Input {
    user_id: Name,
    level: Name,
    score: Amount,
    max_score: Amount,
    time_played: Amount,
    total_score: Amount,
    #[serde(rename = "completedAt")]
    completed_at: Option<EventTime>,
}

/// Where the report is.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    bucket: String,
    text_key: String,
    html_key: String,
}

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// With such an id, another player and level could have the same key.
    #[error("user_id {0} holds \"_report\", which the keys of reports divide by")]
    UserId(Name),
    /// A service did not do its part.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::UserId(_) => INVALID_INPUT,
            Self::Service(error) => error.name(),
        }
    }
}

impl GenerateReport {
    /// Reads the settings and makes the clients.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let s3 = Builder::from(aws).force_path_style(aws::has_own_endpoint(aws)).build();
        Ok(Self {
            s3: aws_sdk_s3::Client::from_conf(s3),
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            bucket: environment.text("REPORT_BUCKET", "the name of the bucket for reports")?,
            table: environment.text("LEVELS_TABLE", "the name of the table of levels")?,
        })
    }

    async fn put(&self, key: &str, content_type: &str, body: String) -> Result<(), ServiceError> {
        let request = self.s3.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let answer = request.body(ByteStream::from(body.into_bytes())).send().await;
        answer.map(drop).map_err(|error| ServiceError::new("PutObject", &error))
    }
}

/// Writes the text and the page.
pub async fn handle(function: &GenerateReport, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let input = event.payload;
    if input.user_id.as_str().contains("_report") {
        return Err(Error::UserId(input.user_id));
    }
    let before = levels::query(&function.dynamodb, &function.table, &input.user_id).await?;
    let levels = levels::with_completed(before, completed(&input));

    let report = format!("{}_report_{}", input.user_id, input.level);
    let (text_key, html_key) = (format!("{report}.txt"), format!("{report}.html"));
    tokio::try_join!(
        function.put(&text_key, "text/plain; charset=utf-8", text(&input)),
        function.put(&html_key, "text/html; charset=utf-8", page(&input, &levels)),
    )?;
    Ok(Output { bucket: function.bucket.clone(), text_key, html_key })
}

fn completed(input: &Input) -> Level {
    Level {
        name: input.level.to_string(),
        score: input.score.as_f64(),
        max_score: input.max_score.as_f64(),
        time_played: input.time_played.as_f64(),
        completed_at: input.completed_at.map(String::from),
    }
}

fn text(input: &Input) -> String {
    let Input { level, score, max_score, .. } = input;
    format!("Completed Level: {level}\nMy Score: {score}\\{max_score}\n")
}

fn page(input: &Input, levels: &[Level]) -> String {
    let page = Page {
        user_id: &input.user_id,
        level: &input.level,
        score: &input.score,
        max_score: &input.max_score,
        time_played: &input.time_played,
        total_score: &input.total_score,
        completed_at: input.completed_at,
        levels,
    };
    page.to_string()
}
