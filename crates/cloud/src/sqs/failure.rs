//! The exceptions of SQS, in its words.

use crate::protocol::Failure;

pub(super) fn queue_does_not_exist() -> Failure {
    Failure::new("QueueDoesNotExist", "The specified queue does not exist.")
        .known_as("AWS.SimpleQueueService.NonExistentQueue")
}

pub(super) fn queue_name_exists(attribute: &str) -> Failure {
    let message = format!("A queue already exists with the same name and a different value for attribute {attribute}");
    Failure::new("QueueNameExists", message).known_as("QueueAlreadyExists")
}

pub(super) fn unknown_attribute(name: &str) -> Failure {
    Failure::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn attribute_value(name: &str) -> Failure {
    Failure::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(super) fn parameter_value(value: &str, name: &str, reason: &str) -> Failure {
    let message = format!("Value {value} for parameter {name} is invalid. Reason: {reason}");
    Failure::new("InvalidParameterValue", message)
}

pub(super) fn missing_parameter(name: &str) -> Failure {
    Failure::new("MissingParameter", format!("The request must contain the parameter {name}."))
}

pub(super) fn message_contents() -> Failure {
    Failure::new("InvalidMessageContents", "Invalid characters found in the message.")
}

pub(super) fn receipt_handle(handle: &str) -> Failure {
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    Failure::new("ReceiptHandleIsInvalid", message)
}

pub(super) fn not_in_flight(handle: &str) -> Failure {
    let reason = "Message does not exist or is not available for visibility timeout change.";
    let message = format!("Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}");
    Failure::new("MessageNotInflight", message).known_as("AWS.SimpleQueueService.MessageNotInflight")
}

pub(super) fn empty_batch(operation: &str) -> Failure {
    let message = format!("There should be at least one {operation}RequestEntry in the request.");
    Failure::new("EmptyBatchRequest", message).known_as("AWS.SimpleQueueService.EmptyBatchRequest")
}

pub(super) fn too_many_entries(count: usize) -> Failure {
    let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
    Failure::new("TooManyEntriesInBatchRequest", message)
        .known_as("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
}

pub(super) fn repeated_id(id: &str) -> Failure {
    Failure::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated."))
        .known_as("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
}

pub(super) fn batch_too_long(limit: usize, length: usize) -> Failure {
    let message = format!("Batch requests cannot be longer than {limit} bytes. You have sent {length} bytes.");
    Failure::new("BatchRequestTooLong", message).known_as("AWS.SimpleQueueService.BatchRequestTooLong")
}
