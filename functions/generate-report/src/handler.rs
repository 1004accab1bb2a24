//! The handler.

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use function_kit::aws::{self, SdkConfig};
use function_kit::game::CompletedLevel;
use function_kit::{Environment, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;
use serde::Serialize;

use crate::levels::{self, Level};
use crate::page::Page;

/// What is made once, at the start of the process.
pub struct GenerateReport {
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    bucket: String,
    table: String,
}

/// Where the report is.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    bucket: String,
    text_key: String,
    html_key: String,
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
pub async fn handle(function: &GenerateReport, event: LambdaEvent<CompletedLevel>) -> Result<Output, ServiceError> {
    let input = event.payload;
    let before = levels::query(&function.dynamodb, &function.table, &input.user_id).await?;
    let levels = levels::with_completed(before, completed(&input));

    let report = format!("{}_report_{}", input.user_id, input.level);
    let (text_key, html_key) = (format!("{report}.txt"), format!("{report}.html"));
    tokio::try_join!(
        function.put(&text_key, "text/plain; charset=utf-8", text(&input)),
        function.put(&html_key, "text/html; charset=utf-8", page(&input, &levels)),
    )?;
    tracing::info!(levels = levels.len(), "the report of level {} is written", input.level);
    Ok(Output { bucket: function.bucket.clone(), text_key, html_key })
}

fn completed(input: &CompletedLevel) -> Level {
    Level {
        name: input.level.to_string(),
        score: input.score.as_f64(),
        max_score: input.max_score.as_f64(),
        time_played: input.time_played.as_f64(),
        completed_at: input.completed_at.to_string(),
    }
}

fn text(input: &CompletedLevel) -> String {
    let CompletedLevel { level, score, max_score, .. } = input;
    format!("Completed Level: {level}\nMy Score: {score}\\{max_score}\n")
}

fn page(input: &CompletedLevel, levels: &[Level]) -> String {
    Page { completed: input, levels }.to_string()
}
