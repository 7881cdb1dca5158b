"""The alert as it is told: `data` of the CloudEvents on `vision.alerts`, and a row of the table `stored_alerts`."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from schemas.common import DEFAULT_WORKSPACE, Document, Identifier
from schemas.event_data import Severity
from schemas.rule import RuleName

AlertStatus = Literal["firing", "resolved"]


class Alert(Document):
    """One transition of an alert of one group. Times are times of events.

    `fingerprint` names rule and group, and is the same for all their alerts; `alert_id` names one alert, from firing
    to resolved. `value` is what the window counted at the transition: events, different values, a share (0..1), or
    seconds of silence. `event_id` and `image_id` are of the event that set it off. `suppressed_by` says which silence
    or rule kept it from the receivers, empty when nothing did.
    """

    alert_id: str
    fingerprint: str
    status: AlertStatus
    workspace_id: Identifier
    use_case_id: Identifier
    rule: RuleName
    severity: Severity
    group: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: AwareDatetime
    fired_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    value: float = 0
    event_id: str = ""
    device_id: str = ""
    image_id: str = ""
    image_url: str = ""
    suppressed_by: str = ""
    detected_at: AwareDatetime


class AlertEvent(Document):
    """A CloudEvent 1.0 in JSON (structured mode): the value of a record on `vision.alerts`.

    `id` is `alert_id` and status, so that a repetition of the same transition is known by it.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: Literal["visionevents.alert.firing", "visionevents.alert.resolved"]
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: Alert


class Matcher(Document):
    """A label and the value that it must have."""

    label: Annotated[str, Field(min_length=1, max_length=100)]
    value: Annotated[str, Field(max_length=1000)]


class Silence(Document):
    """Alerts whose labels match all of `matchers` are recorded and not told, while the silence lasts.

    It is decided when an alert fires: the end of a silence tells nothing by itself.
    """

    id: Identifier
    workspace_id: Identifier = DEFAULT_WORKSPACE
    matchers: Annotated[tuple[Matcher, ...], Field(min_length=1, max_length=20)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    created_by: str = ""
    comment: Annotated[str, Field(max_length=1000)] = ""
