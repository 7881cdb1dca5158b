"""The engine's configuration files: roles, the analyst's limits, memory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WRITER_ROLE: Final = "writer"
ANALYST_ROLE: Final = "analyst"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the engine. An analyst may lower those that are theirs, and cannot raise them."""

    memory_ratio: float = 0.5
    """Share of the machine's memory that all queries together may take."""
    analyst_seconds: int = 60
    analyst_memory_bytes: int = 2 * 1024**3
    analyst_result_rows: int = 1_000_000
    analyst_result_bytes: int = 1024**3

    def analyst_settings(self) -> dict[str, int]:
        """The analyst's limits under ClickHouse's names."""
        return {
            "max_execution_time": self.analyst_seconds,
            "max_memory_usage": self.analyst_memory_bytes,
            "max_result_rows": self.analyst_result_rows,
            "max_result_bytes": self.analyst_result_bytes,
        }


# Texts among the settings are SQL (additional_result_filter, select), dialects of it, files to read (format_schema) or
# to write (output_format_schema), addresses to call. New versions bring new ones, so all are closed but these.
_OPEN_TEXTS: Final = re.compile(
    r"database|log_comment|\w+_null_representation|bool_\w+_representation|output_format_pretty_\w+"
)
_TEXT_TYPES: Final = frozenset({"String", "Map", "URI", "Dialect"})
_CLOSED: Final = re.compile(r"allow_experimental_\w+|\w+_dialect|\w*python\w*|os_thread\w+|max_untracked_memory")


def is_closed(setting: str, kind: str) -> bool:
    """Whether analysts may not change a setting of this name and type."""
    if kind in _TEXT_TYPES:
        return not _OPEN_TEXTS.fullmatch(setting)
    return bool(_CLOSED.fullmatch(setting))


_CONFIG: Final = """<clickhouse>
  <display_name>{display_name}</display_name>
  <users_config>{users}</users_config>
  <user_files_path>{files}</user_files_path>
  <max_server_memory_usage_to_ram_ratio>{memory_ratio}</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>268435456</mark_cache_size>
  <index_mark_cache_size>67108864</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>4</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
</clickhouse>
"""

_USERS: Final = """<clickhouse>
  <profiles>
    <default>
      <!-- As in the official image. The timezone of the server's configuration has no effect in chDB. -->
      <session_timezone>UTC</session_timezone>
      <!-- People group and sort by paths of JSON columns, whose type is Dynamic. -->
      <allow_suspicious_types_in_group_by>1</allow_suspicious_types_in_group_by>
      <allow_suspicious_types_in_order_by>1</allow_suspicious_types_in_order_by>
      <!-- The partition is part of every sorting key. -->
      <do_not_merge_across_partitions_select_final>1</do_not_merge_across_partitions_select_final>
      <dynamic_throw_on_type_mismatch>0</dynamic_throw_on_type_mismatch>
      <variant_throw_on_type_mismatch>0</variant_throw_on_type_mismatch>
      <allow_dynamic_type_in_join_keys>1</allow_dynamic_type_in_join_keys>
    </default>
    <{analyst}><constraints>{constraints}</constraints></{analyst}>
  </profiles>
  <quotas><default/></quotas>
  <roles>
    <{writer}><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></{writer}>
    <{analyst}><grants>
      <query>GRANT SELECT, SHOW, dictGet ON *.*</query>
      <!-- Digests of keys, of the database's default name. -->
      <query>REVOKE SELECT ON vision.api_keys</query>
      <query>REVOKE SELECT ON vision.api_key_uses</query>
    </grants></{analyst}>
  </roles>
  <users>
    <default>
      <password/>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT {writer}</query><query>GRANT {analyst}</query></grants>
    </default>
  </users>
</clickhouse>
"""


def write(folder: Path, limits: Limits, display_name: str, settings: Mapping[str, str]) -> Path:
    """Write the files into a folder and return the path of the main one. `settings`: types of the engine's settings."""
    config, users, files = folder / "config.xml", folder / "users.xml", folder / "user_files"
    files.mkdir(exist_ok=True)
    bounds = "".join(
        f"<{name}><min>1</min><max>{value}</max></{name}>" for name, value in limits.analyst_settings().items()
    )
    closed = "".join(f"<{name}><readonly/></{name}>" for name, kind in settings.items() if is_closed(name, kind))
    users.write_text(_USERS.format(writer=WRITER_ROLE, analyst=ANALYST_ROLE, constraints=bounds + closed), "utf-8")
    config.write_text(
        _CONFIG.format(users=users, files=files, memory_ratio=limits.memory_ratio, display_name=display_name), "utf-8"
    )
    return config
