//! AWS clients of a runner, and what tests do with them most.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;

use crate::{Ended, Runner};

impl Runner {
    fn config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(self.endpoint_url())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
            .build()
    }

    /// A client of S3.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config()).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// A client of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config())
    }

    /// A client of Step Functions.
    pub fn sfn(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config())
    }

    /// A client of `CloudWatch`.
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.config())
    }

    /// Asks SQS for something that is done with a queue of the template, in its JSON protocol.
    pub async fn sqs(&self, operation: &str, queue: &str, arguments: &Value) -> Value {
        let mut arguments = arguments.clone();
        arguments["QueueUrl"] = format!("{}/000000000000/{}", self.endpoint_url(), self.queue(queue)).into();
        let target = format!("x-amz-target: AmazonSQS.{operation}");
        let headers = [target.as_str(), "content-type: application/x-amz-json-1.0"];
        self.request("POST", "/", &headers, arguments.to_string().as_bytes()).await.json()
    }

    /// Puts an object into a bucket of the template.
    pub async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) {
        let request = self.s3().put_object().bucket(self.bucket(bucket)).key(key);
        request.body(ByteStream::from(body)).send().await.unwrap();
    }

    /// The body of an object in a bucket of the template, where there is one.
    pub async fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.s3().get_object().bucket(self.bucket(bucket)).key(key).send().await;
        match answer {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// An item of a table of the template as JSON, with numbers as the text that they are sent as. Null where there is none.
    pub async fn item<const N: usize>(&self, table: &str, key: [(&str, &str); N]) -> Value {
        let mut request = self.dynamodb().get_item().table_name(self.table(table)).consistent_read(true);
        for (name, value) in key {
            request = request.key(name, AttributeValue::S(value.to_owned()));
        }
        let item = request.send().await.unwrap().item;
        item.map_or(Value::Null, |item| item.into_iter().map(|(name, value)| (name, json(value))).collect())
    }

    /// Starts an execution of a state machine of the template. Gives its ARN.
    pub async fn start(&self, state_machine: &str, input: &Value) -> String {
        let request = self.sfn().start_execution().state_machine_arn(self.state_machine(state_machine));
        request.input(input.to_string()).send().await.unwrap().execution_arn
    }

    /// Starts an execution and waits for its end.
    pub async fn execute(&self, state_machine: &str, input: &Value) -> Ended {
        let arn = self.start(state_machine, input).await;
        self.ended(&arn).await
    }
}

fn json(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.into(),
        AttributeValue::Bool(value) => value.into(),
        other => panic!("{other:?} is in no item of this application"),
    }
}
