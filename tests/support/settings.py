"""Settings as a process reads them from its environment."""

from collections.abc import Mapping

from pipeline.settings import PREFIX, Settings


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process would have with these environment variables of ours."""
    return Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in environment.items()})  # type: ignore[arg-type]
