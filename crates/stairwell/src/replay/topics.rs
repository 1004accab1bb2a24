//! The SNS of a transcript: what a subscriber gets can be looked at, as whoever recorded it did.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use asl::{
    Value,
    machine::{Pattern, Resource},
};
use cloud::{
    lambda::{Lambda, LambdaConfig},
    location::Location,
    sns::Sns,
    sqs::{Receive, Sqs},
    states::{Store, TaskTokens, call_service},
};
use engine::{
    Identity,
    core::Call,
    run::{Answer, Reports},
};

/// The names of SNS in resources.
const SERVICES: [&str; 2] = ["sns", "aws-sdk:sns"];

/// The queue that subscribes to a topic.
const QUEUE: &str = "subscriber";

/// How many messages are taken from a queue at once.
const MOST: usize = 10;

/// Every topic that a task names, each with a queue that subscribes to it: a transcript does not show how they come.
#[derive(Default)]
pub(super) struct Topics {
    topics: Mutex<Vec<Topic>>,
    tokens: Arc<TaskTokens>,
}

/// A topic with its one subscriber.
struct Topic {
    arn: String,
    sns: Arc<Sns>,
    sqs: Arc<Sqs>,
    /// The bodies of the messages that the subscriber has got.
    got: Vec<String>,
}

impl Topics {
    /// Where tasks wait for what comes by their tokens.
    pub(super) fn tokens(&self) -> Arc<TaskTokens> {
        self.tokens.clone()
    }

    /// Answers a call, if it publishes to a topic.
    pub(super) fn call(&self, execution: &Arc<Identity>, call: &Call, reports: &Reports) -> Option<Answer> {
        let Resource::Service { service, action, pattern, .. } = &call.resource else { return None };
        if !SERVICES.contains(&&**service) || action.split('.').next() != Some("publish") {
            return None;
        }
        let arn = call.input.get("TopicArn").and_then(Value::as_str)?;
        let sns = self.sns(arn)?;
        let services = sns.front_end();
        let answer = call_service(&services, execution, call)?;
        // It is called for as long as somebody has it.
        let answer = async move {
            let answer = answer.await;
            drop(services);
            answer
        };
        if *pattern != Pattern::WaitForTaskToken {
            return Some(Box::pin(async move { Ok(answer.await?) }));
        }
        let reports = reports.clone();
        // Waits before the call is made: whoever gets the token may use it at once.
        let waiting = self.tokens.wait(call.token.clone()?, reports.clone());
        Some(Box::pin(async move {
            let _waiting = waiting;
            reports.submitted(answer.await?).await;
            std::future::pending().await
        }))
    }

    /// What the subscribers have got by now, topic by topic: the bodies of their messages.
    pub(super) fn received(&self) -> Vec<Value> {
        let mut topics = self.topics();
        let received = topics.iter_mut().flat_map(|topic| topic.receive().iter());
        received.map(|body| Value::parse(body).unwrap_or_else(|_| body.as_str().into())).collect()
    }

    /// The topic's SNS, which begins with the first message.
    fn sns(&self, arn: &str) -> Option<Arc<Sns>> {
        let mut topics = self.topics();
        if let Some(topic) = topics.iter().find(|topic| topic.arn == arn) {
            return Some(topic.sns.clone());
        }
        let topic = Topic::new(arn)?;
        let sns = topic.sns.clone();
        topics.push(topic);
        Some(sns)
    }

    fn topics(&self) -> MutexGuard<'_, Vec<Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Topic {
    /// Nothing where this is no topic's ARN.
    fn new(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "sns", region, account, name] = parts[..] else { return None };
        let location = Location {
            region: region.to_owned(),
            account: account.to_owned(),
            endpoint: format!("https://sns.{region}.amazonaws.com"),
        };
        let is_fifo = [("FifoTopic".to_owned(), "true".to_owned())]
            .into_iter()
            .filter(|_| name.rsplit_once('.').is_some_and(|(_, end)| end == "fifo"));
        let topic = sam::Topic { logical_id: name.to_owned(), arn: arn.to_owned(), attributes: is_fifo.collect() };
        let sqs = Arc::new(Sqs::open(None, location.clone()).ok()?);
        let queue =
            sam::Queue { logical_id: QUEUE.to_owned(), name: QUEUE.to_owned(), attributes: BTreeMap::default() };
        sqs.provide(&queue).ok()?;
        let subscription = sam::Subscription {
            logical_id: QUEUE.to_owned(),
            topic_arn: arn.to_owned(),
            protocol: "sqs".to_owned(),
            endpoint: sqs.arn(QUEUE),
            attributes: BTreeMap::default(),
        };
        let application =
            sam::Application { topics: vec![topic], subscriptions: vec![subscription], ..sam::Application::default() };
        let lambda = Lambda::new(LambdaConfig::new(Vec::new(), location.endpoint.clone())).ok()?;
        let sns = Sns::open(Store::default(), None, location, &application, sqs.clone(), lambda).ok()?;
        Some(Self { arn: arn.to_owned(), sns: Arc::new(sns), sqs, got: Vec::new() })
    }

    fn receive(&mut self) -> &[String] {
        loop {
            let received = self.sqs.receive(QUEUE, Receive { most: MOST, visibility: None }).unwrap_or_default();
            if received.is_empty() {
                return &self.got;
            }
            for message in received {
                // One that can't be deleted would come again, after a time that nobody waits here.
                let _ = self.sqs.delete(QUEUE, &message.receipt_handle);
                self.got.push(message.body);
            }
        }
    }
}
