"""CloudWatch: metrics are put, listed and read."""

import json
from datetime import datetime, timedelta, timezone

import pytest


@pytest.fixture(scope="module")
def cloudwatch(cloud):
    return cloud.client("cloudwatch")


def test_a_metric_is_put_and_read(cloudwatch, name):
    assert cloudwatch.list_metrics(Namespace=name)["Metrics"] == []
    dimensions = [{"Name": "Stage", "Value": "test"}]
    for value in (1, 2, 6):
        data = [{"MetricName": "Size", "Dimensions": dimensions, "Value": value, "Unit": "Count"}]
        cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    metrics = cloudwatch.list_metrics(Namespace=name)["Metrics"]
    assert [(metric["MetricName"], metric["Dimensions"]) for metric in metrics] == [("Size", dimensions)]

    now = datetime.now(timezone.utc)
    span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
    asked = {"Namespace": name, "MetricName": "Size", "Dimensions": dimensions}
    statistics = ["Sum", "Maximum", "SampleCount"]
    bodies = []
    cloudwatch.meta.events.register("after-call", lambda http_response, **_: bodies.append(http_response.content), "bodies")
    points = cloudwatch.get_metric_statistics(**asked, **span, Period=7200, Statistics=statistics)["Datapoints"]
    assert sum(point["SampleCount"] for point in points) == 3 and max(point["Maximum"] for point in points) == 6
    # Clients in JavaScript take no other form.
    times = [point["Timestamp"] for point in json.loads(bodies[0])["Datapoints"]]
    assert times and all(isinstance(time, (int, float)) for time in times)
    query = {"Id": "size", "MetricStat": {"Metric": asked, "Period": 7200, "Stat": "Sum"}}
    results = cloudwatch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"]
    assert sum(results[0]["Values"]) == 9
