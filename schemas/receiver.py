"""Who is told of alerts: the file that the setting `alert_receivers` names."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, model_validator

from schemas.common import Document

ReceiverType = Literal["webhook", "slack", "alertmanager", "alertmanager_webhook"]


class Receiver(Document):
    """One receiver. `match`: labels that an alert must have, each with one value of the list; empty: every alert.

    `webhook` gets the CloudEvent, `alertmanager_webhook` the body that an Alertmanager sends (version 4), `slack` a
    message, and `alertmanager` is an Alertmanager itself, by its base URL. `secret` signs the requests (not of Slack,
    whose URL is the secret).
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-zA-Z0-9_.-]+$")]
    type: ReceiverType = "webhook"
    url: HttpUrl
    secret: SecretStr = SecretStr("")
    secret_file: Path | None = None
    match: dict[str, tuple[str, ...]] = {}
    send_resolved: bool = True
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10

    def takes(self, labels: dict[str, str], status: str) -> bool:
        """Whether this receiver is told of an alert with these labels."""
        if status == "resolved" and not self.send_resolved:
            return False
        return all(labels.get(label, "") in values for label, values in self.match.items())


class ReceiverFile(Document):
    """The receivers of an installation."""

    receivers: tuple[Receiver, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"receiver {sorted(doubled)[0]!r} is listed twice")
        return self
