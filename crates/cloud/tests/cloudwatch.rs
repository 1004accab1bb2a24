//! `CloudWatch` metrics in its three protocols.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod common;

use aws_sdk_cloudwatch::{
    error::ProvideErrorMetadata as _,
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, Statistic},
};
use cloud::cloudwatch::MetricSummary;
use common::Cloud;

fn dimension() -> Dimension {
    Dimension::builder().name("Game").value("chess").build()
}

#[tokio::test]
async fn metrics_are_put_and_read_with_the_rust_client() {
    let cloud = Cloud::start();
    let client = cloud.cloudwatch();
    for value in [1.0, 4.0] {
        let datum = MetricDatum::builder().metric_name("Completed").value(value).dimensions(dimension()).build();
        client.put_metric_data().namespace("Games").metric_data(datum).send().await.unwrap();
    }
    let listed = client.list_metrics().namespace("Games").send().await.unwrap();
    assert_eq!(listed.metrics().first().and_then(Metric::metric_name), Some("Completed"));

    let (start, end) = (DateTime::from_secs(0), DateTime::from_secs(253_402_300_000));
    let statistics = client
        .get_metric_statistics()
        .namespace("Games")
        .metric_name("Completed")
        .dimensions(dimension())
        .start_time(start)
        .end_time(end)
        .period(1_000_000_020)
        .statistics(Statistic::Sum)
        .statistics(Statistic::Maximum)
        .send()
        .await
        .unwrap();
    let point = statistics.datapoints().first().unwrap();
    assert_eq!((point.sum(), point.maximum()), (Some(5.0), Some(4.0)));

    let metric = Metric::builder().namespace("Games").metric_name("Completed").dimensions(dimension()).build();
    let average = MetricStat::builder().metric(metric).period(1_000_000_020).stat("Average").build();
    let query = MetricDataQuery::builder().id("q").metric_stat(average).build();
    let data =
        client.get_metric_data().metric_data_queries(query).start_time(start).end_time(end).send().await.unwrap();
    assert_eq!(data.metric_data_results().first().unwrap().values(), [2.5]);

    let expected = MetricSummary {
        namespace: "Games".into(),
        name: "Completed".into(),
        dimensions: vec![("Game".into(), "chess".into())],
        samples: 2.0,
        sum: 5.0,
        minimum: 1.0,
        maximum: 4.0,
    };
    assert_eq!(cloud.cloudwatch.summaries(), [expected]);
}

#[tokio::test]
async fn a_large_put_arrives_compressed() {
    let cloud = Cloud::start();
    let data = (0..200)
        .map(|number| MetricDatum::builder().metric_name(format!("metric-{number:0>100}")).value(1.0).build())
        .collect();
    cloud.cloudwatch().put_metric_data().namespace("Many").set_metric_data(Some(data)).send().await.unwrap();
    assert_eq!(cloud.cloudwatch.summaries().len(), 200);
}

#[tokio::test]
async fn metrics_are_put_and_listed_in_json_and_query() {
    let cloud = Cloud::start();
    let json = "POST / HTTP/1.1\ncontent-type: application/x-amz-json-1.0\n\
                x-amz-target: GraniteServiceVersion20100801.";
    let body = r#"{"Namespace":"N","MetricData":[{"MetricName":"json","Value":2,"Timestamp":1700000000}]}"#;
    let response = cloud.raw(&format!("{json}PutMetricData"), body).await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");

    let form = "POST / HTTP/1.1\ncontent-type: application/x-www-form-urlencoded; charset=utf-8";
    let body = "Action=PutMetricData&Version=2010-08-01&Namespace=N\
                &MetricData.member.1.MetricName=query&MetricData.member.1.Value=3";
    let response = cloud.raw(form, body).await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");

    let in_json = cloud.raw(&format!("{json}ListMetrics"), "{}").await;
    let in_xml = cloud.raw(form, "Action=ListMetrics&Version=2010-08-01").await;
    for name in ["json", "query"] {
        assert!(in_json.contains(&format!("\"MetricName\":\"{name}\"")), "{in_json}");
        assert!(in_xml.contains(&format!("<MetricName>{name}</MetricName>")), "{in_xml}");
    }
    let sums: Vec<_> = cloud.cloudwatch.summaries().into_iter().map(|metric| (metric.name, metric.sum)).collect();
    assert_eq!(sums, [("json".to_owned(), 2.0), ("query".to_owned(), 3.0)]);
}

#[tokio::test]
async fn alarms_are_refused() {
    let cloud = Cloud::start();
    let error = cloud.cloudwatch().describe_alarms().send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("InvalidAction"), "{error:?}");
    assert!(error.message().is_some_and(|message| message.contains("DescribeAlarms is not emulated")), "{error:?}");
}
