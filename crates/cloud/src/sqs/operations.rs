//! The SQS API.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use super::{
    Attribute, Outgoing, Receive, Received, Sqs,
    attributes::{MAX_DELAY, MAX_MESSAGE, MAX_VISIBILITY, MAX_WAIT},
    failure,
    message::{digest_of_attributes, digest_of_body},
};
use crate::protocol::{Dialect, Failure, Form, JSON_1_0, Names, Operations, Parameters, done};

/// How many messages one call gives or takes.
const MAX_BATCH: usize = 10;

type Answer = Result<Value, Failure>;

impl Operations for Sqs {
    const DIALECT: Dialect = Dialect {
        title: "SQS",
        content_type: JSON_1_0,
        namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
        max_body: 2 * 1024 * 1024,
        names: Names {
            parameters: &[
                ("AttributeNames", Form::Flat("AttributeName")),
                ("Attributes", Form::FlatMap("Attribute", "Name", "Value")),
                ("MessageAttributeNames", Form::Flat("MessageAttributeName")),
                ("MessageSystemAttributeNames", Form::Flat("MessageSystemAttributeName")),
                ("MessageAttributes", Form::FlatMap("MessageAttribute", "Name", "Value")),
                ("MessageSystemAttributes", Form::FlatMap("MessageSystemAttribute", "Name", "Value")),
                ("Tags", Form::FlatMap("Tag", "Key", "Value")),
                ("tags", Form::FlatMap("Tag", "Key", "Value")),
                ("TagKeys", Form::Flat("TagKey")),
                ("Entries", Form::FlatOf("RequestEntry")),
            ],
            answers: &[
                ("Successful", Form::FlatOf("ResultEntry")),
                ("Failed", Form::Flat("BatchResultErrorEntry")),
                ("Results", Form::FlatOf("ResultEntry")),
                ("Messages", Form::Flat("Message")),
                ("QueueUrls", Form::Flat("QueueUrl")),
                ("queueUrls", Form::Flat("QueueUrl")),
            ],
            typed: &[
                "DelaySeconds",
                "MaxNumberOfMessages",
                "MaxNumberOfMessagesPerSecond",
                "MaxResults",
                "VisibilityTimeout",
                "WaitTimeSeconds",
            ],
        },
    };

    async fn operate(&self, operation: &str, parameters: Parameters) -> Answer {
        if operation == "ReceiveMessage" {
            return self.receive_message(&parameters.read()?).await;
        }
        let (sqs, operation) = (self.clone(), operation.to_owned());
        let carried_out = spawn_blocking(move || sqs.carry_out(&operation, parameters)).await;
        carried_out.unwrap_or_else(|error| Err(Failure::internal(&error)))
    }
}

impl Sqs {
    /// Carries out an operation that waits for nothing but the disk.
    fn carry_out(&self, operation: &str, parameters: Parameters) -> Answer {
        match operation {
            "CreateQueue" => self.create_queue(parameters.read()?),
            "DeleteQueue" => self.delete_queue(&parameters.read()?),
            "GetQueueUrl" => self.get_queue_url(&parameters.read()?),
            "ListQueues" => Ok(self.list_queues(&parameters.read()?)),
            "GetQueueAttributes" => self.get_queue_attributes(&parameters.read()?),
            "SetQueueAttributes" => self.set_queue_attributes(parameters.read()?),
            "PurgeQueue" => self.purge_queue(&parameters.read()?),
            "TagQueue" => self.tag_queue(parameters.read()?),
            "UntagQueue" => self.untag_queue(&parameters.read()?),
            "ListQueueTags" => self.list_queue_tags(&parameters.read()?),
            "ListDeadLetterSourceQueues" => self.list_sources(&parameters.read()?),
            "SendMessage" => self.send_message(parameters.read()?),
            "SendMessageBatch" => self.send_batch(parameters.read()?),
            "DeleteMessage" => self.delete_message(&parameters.read()?),
            "DeleteMessageBatch" => self.delete_batch(parameters.read()?),
            "ChangeMessageVisibility" => self.change_message_visibility(&parameters.read()?),
            "ChangeMessageVisibilityBatch" => self.change_batch(parameters.read()?),
            "StartMessageMoveTask" => self.start_move(parameters.read()?),
            "ListMessageMoveTasks" => self.list_moves(&parameters.read()?),
            "CancelMessageMoveTask" => self.cancel_move(&parameters.read()?),
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags", alias = "Tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueUrl {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListQueues {
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagQueue {
    queue_url: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UntagQueue {
    queue_url: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListSources {
    queue_url: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessage {
    queue_url: String,
    message_body: Option<String>,
    delay_seconds: Option<u32>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendEntry {
    id: String,
    message_body: Option<String>,
    delay_seconds: Option<u32>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u32>,
    wait_time_seconds: Option<u32>,
    /// By which a call that is made again gets what it got before. Here each call gets what is there.
    #[serde(rename = "ReceiveRequestAttemptId")]
    _attempt: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteEntry {
    id: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeEntry {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Batch<E> {
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<E>,
}

/// Queues.
impl Sqs {
    fn create_queue(&self, request: CreateQueue) -> Answer {
        self.inner().create(&request.queue_name, request.attributes, request.tags)?;
        Ok(json!({ "QueueUrl": self.url(&request.queue_name) }))
    }

    fn delete_queue(&self, request: &OfQueue) -> Answer {
        self.inner().delete_queue(name_of_url(&request.queue_url))?;
        Ok(done())
    }

    fn get_queue_url(&self, request: &GetQueueUrl) -> Answer {
        if request.owner.as_ref().is_some_and(|owner| *owner != self.location.account) {
            return Err(failure::queue_does_not_exist());
        }
        self.inner().queue(&request.queue_name)?;
        Ok(json!({ "QueueUrl": self.url(&request.queue_name) }))
    }

    fn list_queues(&self, request: &ListQueues) -> Value {
        let prefix = request.queue_name_prefix.as_deref().unwrap_or_default();
        let names: Vec<_> = self.inner().queues.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        self.listed("QueueUrls", &names, request.next_token.as_deref(), request.max_results)
    }

    /// The queues whose messages go to this one when they were received too often.
    fn list_sources(&self, request: &ListSources) -> Answer {
        let name = name_of_url(&request.queue_url);
        let inner = self.inner();
        inner.queue(name)?;
        let target = self.arn(name);
        let is_source = |queue: &super::Queue| {
            queue.attributes.redrive_policy().is_some_and(|policy| policy.dead_letter_target_arn == target)
        };
        let names: Vec<_> =
            inner.queues.iter().filter(|(_, queue)| is_source(queue)).map(|(name, _)| name.clone()).collect();
        Ok(self.listed("queueUrls", &names, request.next_token.as_deref(), request.max_results))
    }

    /// A page of queues; the token of the next is the name that it begins after.
    fn listed(&self, key: &str, names: &[String], after: Option<&str>, most: Option<usize>) -> Value {
        let start = after.map_or(0, |after| names.partition_point(|name| name.as_str() <= after));
        let rest = names.get(start..).unwrap_or_default();
        let page: Vec<_> = rest.iter().take(most.unwrap_or(1000)).collect();
        let mut answer = Map::new();
        if !page.is_empty() {
            answer.insert(key.to_owned(), page.iter().map(|name| self.url(name)).collect());
        }
        if let (Some(last), true) = (page.last(), page.len() < rest.len()) {
            answer.insert("NextToken".to_owned(), json!(last));
        }
        answer.into()
    }

    fn get_queue_attributes(&self, request: &GetQueueAttributes) -> Answer {
        let name = name_of_url(&request.queue_url);
        let inner = self.inner();
        let queue = inner.queue(name)?;
        let counts = inner.counts(name)?;
        let mut all = queue.attributes.described();
        all.extend(
            [
                ("ApproximateNumberOfMessages", counts.visible.to_string()),
                ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
                ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
                ("CreatedTimestamp", (queue.created_at / 1000).to_string()),
                ("LastModifiedTimestamp", (queue.changed_at / 1000).to_string()),
                ("QueueArn", self.arn(name)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if !request.attribute_names.iter().any(|name| name == "All") {
            all.retain(|name, _| request.attribute_names.contains(name));
        }
        if all.is_empty() { Ok(done()) } else { Ok(json!({ "Attributes": all })) }
    }

    fn set_queue_attributes(&self, request: SetQueueAttributes) -> Answer {
        let name = name_of_url(&request.queue_url);
        self.inner().change(name, |queue| queue.attributes.set(request.attributes, name))?;
        Ok(done())
    }

    fn purge_queue(&self, request: &OfQueue) -> Answer {
        let name = name_of_url(&request.queue_url);
        let inner = self.inner();
        inner.queue(name)?;
        inner.store.purge(name).map_err(super::internal)?;
        Ok(done())
    }

    fn tag_queue(&self, request: TagQueue) -> Answer {
        self.inner().change(name_of_url(&request.queue_url), |queue| {
            queue.tags.extend(request.tags);
            Ok(())
        })?;
        Ok(done())
    }

    fn untag_queue(&self, request: &UntagQueue) -> Answer {
        self.inner().change(name_of_url(&request.queue_url), |queue| {
            queue.tags.retain(|key, _| !request.tag_keys.contains(key));
            Ok(())
        })?;
        Ok(done())
    }

    fn list_queue_tags(&self, request: &OfQueue) -> Answer {
        let inner = self.inner();
        let tags = &inner.queue(name_of_url(&request.queue_url))?.tags;
        if tags.is_empty() { Ok(done()) } else { Ok(json!({ "Tags": tags })) }
    }
}

/// Messages.
impl Sqs {
    fn send_message(&self, request: SendMessage) -> Answer {
        let SendMessage { queue_url, message_body, delay_seconds, .. } = request;
        let entry = SendEntry {
            id: String::new(),
            message_body,
            delay_seconds,
            message_attributes: request.message_attributes,
            message_system_attributes: request.message_system_attributes,
            message_deduplication_id: request.message_deduplication_id,
            message_group_id: request.message_group_id,
        };
        self.send_entry(name_of_url(&queue_url), entry).map(Value::Object)
    }

    fn send_entry(&self, queue: &str, entry: SendEntry) -> Result<Map<String, Value>, Failure> {
        if let Some(delay) = entry.delay_seconds.filter(|delay| *delay > MAX_DELAY) {
            let reason = "DelaySeconds must be >= 0 and <= 900.";
            return Err(failure::parameter_value(&delay.to_string(), "DelaySeconds", reason));
        }
        let mut system = entry.message_system_attributes;
        let trace_header = system.remove("AWSTraceHeader").and_then(|header| header.string_value);
        if let Some(name) = system.keys().next() {
            let message = format!("Message system attribute name '{name}' is invalid.");
            return Err(Failure::new("InvalidParameterValue", message));
        }
        let message = Outgoing {
            body: entry.message_body.ok_or_else(|| failure::missing_parameter("MessageBody"))?,
            attributes: entry.message_attributes,
            delay_seconds: entry.delay_seconds,
            group_id: entry.message_group_id,
            deduplication_id: entry.message_deduplication_id,
            trace_header,
        };
        let sent = self.send(queue, &message)?;
        let mut answer = Map::new();
        let mut tell = |name: &str, value: Option<String>| {
            answer.extend(value.map(|value| (name.to_owned(), Value::String(value))));
        };
        tell("MessageId", Some(sent.message_id));
        tell("MD5OfMessageBody", Some(digest_of_body(&message.body)));
        tell("MD5OfMessageAttributes", digest_of_attributes(&message.attributes));
        tell("SequenceNumber", sent.sequence_number);
        Ok(answer)
    }

    fn send_batch(&self, request: Batch<SendEntry>) -> Answer {
        let length = |entry: &SendEntry| {
            let attributes = entry.message_attributes.clone();
            Outgoing { body: entry.message_body.clone().unwrap_or_default(), attributes, ..Outgoing::default() }.size()
        };
        let length: usize = request.entries.iter().map(length).sum();
        if length > MAX_MESSAGE {
            return Err(failure::batch_too_long(MAX_MESSAGE, length));
        }
        self.each("SendMessageBatch", request, |entry| entry.id.clone(), |queue, entry| self.send_entry(queue, entry))
    }

    async fn receive_message(&self, request: &ReceiveMessage) -> Answer {
        let queue = name_of_url(&request.queue_url);
        let most = request.max_number_of_messages.unwrap_or(1);
        if !(1..=MAX_BATCH).contains(&most) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(failure::parameter_value(&most.to_string(), "MaxNumberOfMessages", reason));
        }
        let visibility = request.visibility_timeout.map(visibility).transpose()?;
        let wait = match request.wait_time_seconds {
            Some(wait) if wait > MAX_WAIT => {
                let reason = "Must be >= 0 and <= 20, if provided.";
                return Err(failure::parameter_value(&wait.to_string(), "WaitTimeSeconds", reason));
            }
            Some(wait) => Duration::from_secs(wait.into()),
            None => self.inner().queue(queue)?.attributes.seconds("ReceiveMessageWaitTimeSeconds"),
        };
        let messages = self.receive_within(queue, Receive { most, visibility }, wait).await?;
        if messages.is_empty() {
            return Ok(done());
        }
        let messages: Vec<Value> = messages.into_iter().map(|message| told(message, request)).collect();
        Ok(json!({ "Messages": messages }))
    }

    fn delete_message(&self, request: &DeleteMessage) -> Answer {
        self.delete(name_of_url(&request.queue_url), &request.receipt_handle)?;
        Ok(done())
    }

    fn delete_batch(&self, request: Batch<DeleteEntry>) -> Answer {
        let delete = |queue: &str, entry: DeleteEntry| self.delete(queue, &entry.receipt_handle).map(|()| Map::new());
        self.each("DeleteMessageBatch", request, |entry| entry.id.clone(), delete)
    }

    fn change_message_visibility(&self, request: &ChangeMessageVisibility) -> Answer {
        let hidden = visibility(request.visibility_timeout)?;
        self.change_visibility(name_of_url(&request.queue_url), &request.receipt_handle, hidden)?;
        Ok(done())
    }

    fn change_batch(&self, request: Batch<ChangeEntry>) -> Answer {
        let change = |queue: &str, entry: ChangeEntry| {
            let seconds = entry.visibility_timeout.ok_or_else(|| failure::missing_parameter("VisibilityTimeout"))?;
            self.change_visibility(queue, &entry.receipt_handle, visibility(seconds)?).map(|()| Map::new())
        };
        self.each("ChangeMessageVisibilityBatch", request, |entry| entry.id.clone(), change)
    }

    /// Does something with each entry of a batch; one that fails does not keep the others from it.
    fn each<E>(
        &self,
        operation: &str,
        batch: Batch<E>,
        id: impl Fn(&E) -> String,
        act: impl Fn(&str, E) -> Result<Map<String, Value>, Failure>,
    ) -> Answer {
        let queue = name_of_url(&batch.queue_url);
        self.inner().queue(queue)?;
        match batch.entries.len() {
            0 => return Err(failure::empty_batch(operation)),
            1..=MAX_BATCH => {}
            count => return Err(failure::too_many_entries(count)),
        }
        let mut ids = HashSet::new();
        if let Some(repeated) = batch.entries.iter().map(&id).find(|id| !ids.insert(id.clone())) {
            return Err(failure::repeated_id(&repeated));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in batch.entries {
            let id = id(&entry);
            match act(queue, entry) {
                Ok(mut answer) => {
                    answer.insert("Id".to_owned(), id.into());
                    successful.push(Value::Object(answer));
                }
                Err(failure) => {
                    let code = failure.query_code.unwrap_or(failure.code);
                    let sender_fault = failure.status.is_client_error();
                    failed.push(
                        json!({ "Id": id, "Code": code, "Message": failure.message, "SenderFault": sender_fault }),
                    );
                }
            }
        }
        let mut answer = Map::new();
        for (name, entries) in [("Successful", successful), ("Failed", failed)] {
            if !entries.is_empty() {
                answer.insert(name.to_owned(), entries.into());
            }
        }
        Ok(answer.into())
    }
}

/// The last part of a queue's URL is its name.
fn name_of_url(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn visibility(seconds: u32) -> Result<Duration, Failure> {
    if seconds > MAX_VISIBILITY {
        let reason = "VisibilityTimeout must be an integer between 0 and 43200.";
        return Err(failure::parameter_value(&seconds.to_string(), "VisibilityTimeout", reason));
    }
    Ok(Duration::from_secs(seconds.into()))
}

/// A message with the attributes that were asked for.
fn told(message: Received, request: &ReceiveMessage) -> Value {
    let mut answer = Map::from_iter([
        ("MessageId".to_owned(), json!(message.message_id)),
        ("ReceiptHandle".to_owned(), json!(message.receipt_handle)),
        ("MD5OfBody".to_owned(), json!(digest_of_body(&message.body))),
        ("Body".to_owned(), json!(message.body)),
    ]);
    let asked: Vec<_> = request.attribute_names.iter().chain(&request.message_system_attribute_names).collect();
    let mut system = message.system_attributes;
    system.retain(|name, _| asked.iter().any(|asked| *asked == "All" || *asked == name));
    if !system.is_empty() {
        answer.insert("Attributes".to_owned(), json!(system));
    }
    let mut attributes = message.attributes;
    attributes.retain(|name, _| request.message_attribute_names.iter().any(|asked| is_asked(asked, name)));
    if let Some(digest) = digest_of_attributes(&attributes) {
        answer.insert("MD5OfMessageAttributes".to_owned(), digest.into());
        answer.insert("MessageAttributes".to_owned(), json!(attributes));
    }
    answer.into()
}

/// Whether a message attribute is asked for: by its name, by its beginning and `.*`, or with all.
fn is_asked(asked: &str, name: &str) -> bool {
    asked == "All" || asked == name || asked.strip_suffix(".*").is_some_and(|beginning| name.starts_with(beginning))
}
