"""Days in numbers, from the metrics."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from doorcode.aws.activity import CACHE_SECONDS, DROPPED, MAX_DAYS, METRICS, Activity
from doorcode.aws.retrying import Retrying
from doorcode.errors import UnavailableError
from doorcode.pairing.access import Scope
from doorcode.pairing.gate import Reason
from tests.harness import T0
from tests.web.harness import NAMESPACE, WebHarness

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
TODAY = datetime(2027, 1, 15, tzinfo=UTC)
ADMITTED = {
    *(Reason.OWNER, Reason.ALLOWED_USER, Reason.PAIRED, Reason.POLICY_ALLOW),
    *(Reason.CLAIMED, Reason.INVITED, Reason.BOT_ITSELF),
}


class CloudWatch:
    """Answers with pages made by the test, and keeps what was asked."""

    def __init__(self, *pages: Any) -> None:
        self.pages = list(pages)
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **kwargs: Any) -> Any:
        """Give the next page, the last one for ever."""
        self.asked.append(dict(kwargs))
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        if isinstance(page, Exception):
            raise page
        return page


def _result(name: str, value: str, *counts: tuple[datetime, float]) -> dict[str, Any]:
    number = next(number for number, metric in enumerate(METRICS) if (metric.name, metric.value) == (name, value))
    return {"Id": f"m{number}", "Timestamps": [at for at, _ in counts], "Values": [count for _, count in counts]}


def _activity(*pages: Any) -> tuple[Activity, CloudWatch]:
    client = CloudWatch(*pages)
    return Activity(client, NAMESPACE, Retrying(0.0, transport_errors=(TimeoutError,))), client


def test_every_day_has_its_numbers() -> None:
    """Days without numbers are there too; drops are by reason, and only those that occurred."""
    activity, _ = _activity(
        {
            "MetricDataResults": [
                _result("Requests", "pairing_requested", (TODAY, 2.0), (TODAY - timedelta(days=2), 1.0)),
                _result("Requests", "rate_limited", (TODAY, 5.0)),
                _result("Decisions", "pairing_approved", (TODAY, 1.0)),
                _result("Decisions", "pairing_denied", (TODAY - timedelta(days=2), 1.0)),
            ]
        }
    )
    days = [(day.date, day.requests, day.approved, day.denied, day.dropped) for day in activity.days(3, T0)]
    assert days == [
        ("2027-01-13", 1, 0, 1, {}),
        ("2027-01-14", 0, 0, 0, {}),
        ("2027-01-15", 2, 1, 0, {"rate_limited": 5}),
    ]


def test_what_is_asked_of_the_metrics() -> None:
    """Whole days of UTC, as many as can be asked for, each metric by its one dimension."""
    activity, client = _activity({"MetricDataResults": []})
    activity.days(1, T0)
    [asked] = client.asked
    assert (asked["StartTime"], asked["EndTime"]) == (TODAY - timedelta(days=29), TODAY + timedelta(days=1))
    [first, *_] = asked["MetricDataQueries"]
    assert first["MetricStat"] == {
        "Metric": {
            "Namespace": NAMESPACE,
            "MetricName": "Requests",
            "Dimensions": [{"Name": "reason", "Value": "pairing_requested"}],
        },
        "Period": 86400,
        "Stat": "Sum",
    }
    assert len({query["Id"] for query in asked["MetricDataQueries"]}) == len(METRICS) == 3 + len(DROPPED)


def test_it_is_read_once_in_five_minutes() -> None:
    """However often and for how many days it is asked; a clock that goes back reads again."""
    activity, client = _activity({"MetricDataResults": []})
    for days, at, reads in [(7, 0, 1), (30, 299, 1), (7, CACHE_SECONDS, 2), (7, 0, 3)]:
        activity.days(days, T0 + at)
        assert len(client.asked) == reads


def test_a_new_day_is_there_before_it_is_read() -> None:
    """Midnight passes in the cache."""
    activity, client = _activity({"MetricDataResults": [_result("Requests", "pairing_requested", (TODAY, 2.0))]})
    midnight = int((TODAY + timedelta(days=1)).timestamp())
    activity.days(1, midnight - 1)
    assert [(day.date, day.requests) for day in activity.days(2, midnight)] == [("2027-01-15", 2), ("2027-01-16", 0)]
    assert len(client.asked) == 1


def test_an_answer_in_parts_is_read_to_its_end() -> None:
    """Parts of one metric add up; an end that never comes is trouble."""
    part = {"MetricDataResults": [_result("Requests", "blocked", (TODAY, 1.0))]}
    activity, client = _activity(part | {"NextToken": "more"}, part)
    assert activity.days(1, T0)[0].dropped == {"blocked": 2}
    assert [asked.get("NextToken") for asked in client.asked] == [None, "more"]
    endless, _ = _activity(part | {"NextToken": "more"})
    with pytest.raises(UnavailableError):
        endless.days(1, T0)


@pytest.mark.parametrize(
    "error", [TimeoutError(), ClientError({"Error": {"Code": "AccessDenied"}}, "GetMetricData")], ids=["time", "no"]
)
def test_trouble_is_told_and_not_kept(error: Exception) -> None:
    """What could not be read is read again the next time."""
    activity, _ = _activity(error, {"MetricDataResults": []})
    with pytest.raises(UnavailableError):
        activity.days(1, T0)
    assert activity.days(1, T0)[0].requests == 0


def test_a_mistake_of_ours_is_no_trouble_of_theirs() -> None:
    """What is no answer of a service is raised."""
    activity, _ = _activity(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        activity.days(1, T0)


def test_every_reason_that_drops_is_counted() -> None:
    """What the gate can turn a message away for, and what the edge refuses before it; each is one of the metric's."""
    assert set(DROPPED) == set(Reason) - ADMITTED - {Reason.NOT_A_MESSAGE, Reason.PAIRING_REQUESTED} | {"bad_signature"}
    text = TEMPLATE.read_text()
    assert not [reason for reason in DROPPED if f'($.reason = "{reason}")' not in text]


@pytest.mark.parametrize("query", ["", "?days=1", "?days=30"])
def test_it_is_answered_to_whoever_may_look(web: WebHarness, query: str) -> None:
    """One entry for each day, today last."""
    web.clients["cloudwatch"]._client.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": "Requests",
                "Dimensions": [{"Name": "reason", "Value": "rate_limited"}],
                "Timestamp": TODAY + timedelta(hours=1),
                "Value": 3.0,
            }
        ],
    )
    days = web.token(Scope.READ).get(f"/api/activity{query}").body["days"]
    assert len(days) == int(query.partition("=")[2] or 7)
    assert days[-1].items() >= {"date": "2027-01-15", "requests": 0, "approved": 0, "denied": 0}.items()
    assert MAX_DAYS == 30


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "", "1.5", "٣", "1e1000", "9" * 5000])
def test_days_that_are_none(web: WebHarness, days: str) -> None:
    """A number from 1 to 30."""
    assert web.session().get(f"/api/activity?days={days}").refusal == (400, "invalid_input")


def test_metrics_that_cannot_be_read(web: WebHarness, caplog: pytest.LogCaptureFixture) -> None:
    """503, and the log says why."""

    def away(_: str) -> None:
        raise TimeoutError

    web.clients["cloudwatch"].before = away
    assert web.session().get("/api/activity").refusal == (503, "unavailable")
    assert "read the metrics" in caplog.text


def test_where_nothing_is_counted_nothing_is_asked() -> None:
    """A stack without metrics has no days to show: zeros would say that nobody came."""
    client = CloudWatch({"MetricDataResults": []})
    assert Activity(client, "", Retrying(0.0, transport_errors=(TimeoutError,))).days(7, T0) == []
    assert client.asked == []
