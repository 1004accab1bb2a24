//! What there is now that was not there before.

use std::collections::BTreeMap;

use axum::body::Body;
use cloud::{
    local::LocalCloud,
    s3::{EventKind, ObjectEvent},
};
use http::Request;
use http_body_util::BodyExt;
use sam::Application;
use tokio::sync::broadcast::{self, error::TryRecvError};

use super::plan::Highlight;
use crate::terminal::{BOLD, DIM, counted, painted};

/// The objects that were written, by bucket and key, with their sizes.
type Objects = BTreeMap<(String, String), u64>;

/// Which of the objects that were written are named.
pub enum Chosen<'a> {
    /// All.
    All,
    /// Those that somebody may want to look at.
    Only(Vec<&'a Highlight<'a>>),
    /// The first ones: nobody says which matter.
    First(usize),
}

impl Chosen<'_> {
    /// These, and the others.
    fn of(&self, objects: Objects) -> (Objects, Objects) {
        let mut number = 0;
        objects.into_iter().partition(|((bucket, key), _)| {
            number += 1;
            match self {
                Self::All => true,
                Self::Only(highlights) => {
                    highlights.iter().any(|one| one.bucket == bucket && key.ends_with(one.ending))
                }
                Self::First(count) => number <= *count,
            }
        })
    }
}

/// Collects what a demo produces, from its beginning.
pub struct Produced {
    changes: broadcast::Receiver<ObjectEvent>,
    /// How many items each table had, in the order of the template.
    items: Vec<u64>,
}

impl Produced {
    /// Begins to collect.
    pub async fn since_now(application: &Application, cloud: &LocalCloud) -> Self {
        let changes = cloud.changes();
        Self { changes, items: counts(application, cloud).await }
    }

    /// Tells what was produced, and where it is: of objects those that are `chosen`, and how many more there are.
    ///
    /// Files are named where they are `kept`.
    pub async fn tell(mut self, application: &Application, cloud: &LocalCloud, chosen: &Chosen<'_>, kept: bool) {
        crate::tell!("\n{}", painted(BOLD, "What was produced"));
        let mut told = false;
        let mut tell = |text: String| {
            told = true;
            crate::tell!("  {text}");
        };
        let (shown, others) = chosen.of(self.objects());
        for ((bucket, key), size) in shown {
            tell(format!("s3://{bucket}/{key} {}", painted(DIM, bytes(size))));
            if let Some(file) = cloud.s3().file_of(&bucket, &key).filter(|_| kept) {
                tell(format!("  {}", painted(DIM, file.display())));
            }
        }
        if !others.is_empty() {
            let count = counted(others.len(), "more object");
            tell(format!("and {count} {}", painted(DIM, "(`--verbose` names all)")));
        }
        let counts = counts(application, cloud).await;
        let changed =
            application.tables.iter().zip(counts.iter().zip(&self.items)).filter(|(_, (now, before))| now != before);
        for (table, (count, _)) in changed {
            let items = if *count == 1 { "item" } else { "items" };
            tell(format!("table {} {}", table.logical_id, painted(DIM, format_args!("now has {count} {items}"))));
        }
        for metric in cloud.cloudwatch().summaries() {
            let dimensions: Vec<_> = metric.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let dimensions = if dimensions.is_empty() { String::new() } else { format!(" {}", dimensions.join(",")) };
            let samples = if metric.samples > 1.0 {
                format!("{} samples, {} to {}", metric.samples, metric.minimum, metric.maximum)
            } else {
                format!("1 sample, {}", metric.maximum)
            };
            let (namespace, name) = (&metric.namespace, &metric.name);
            tell(format!("metric {namespace}/{name}{dimensions} {}", painted(DIM, samples)));
        }
        if !told {
            crate::tell!("  {}", painted(DIM, "nothing"));
        }
    }

    /// The objects that were written and are still there, by bucket and key, with their sizes.
    fn objects(&mut self) -> Objects {
        let mut objects = Objects::new();
        loop {
            let change = match self.changes.try_recv() {
                Ok(change) => change,
                Err(TryRecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "objects were written faster than they are told of");
                    continue;
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return objects,
            };
            let place = (change.bucket, change.key);
            match change.kind {
                EventKind::Created(_) => objects.insert(place, change.size),
                EventKind::Deleted(_) => objects.remove(&place),
                EventKind::Tagged(_) => None,
            };
        }
    }
}

/// How many items each table has.
async fn counts(application: &Application, cloud: &LocalCloud) -> Vec<u64> {
    let mut counts = Vec::new();
    for table in &application.tables {
        counts.push(count(cloud, &table.name).await);
    }
    counts
}

async fn count(cloud: &LocalCloud, table: &str) -> u64 {
    let scan = serde_json::json!({ "TableName": table, "Select": "COUNT" }).to_string();
    let request = Request::post("/")
        .header("x-amz-target", "DynamoDB_20120810.Scan")
        .header("content-type", "application/x-amz-json-1.0")
        .body(Body::from(scan));
    let Ok(request) = request else { return 0 };
    let body = cloud.send(request).await.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    answer["Count"].as_u64().unwrap_or(0)
}

/// `412 bytes`, `38.2 kB`, `2.1 MB`.
fn bytes(size: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let of = |unit: u64| size as f64 / unit as f64;
    match size {
        0..1_000 => format!("{size} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", of(1_000)),
        _ => format!("{:.1} MB", of(1_000_000)),
    }
}
