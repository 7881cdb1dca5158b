"""The faults, each a function of its own: its first line of documentation is its description in the table."""

from tests.faults.cases import clickhouse, disks, kafka, records, s3, workers
from tests.faults.cases.base import Fault

EVERY: tuple[Fault, ...] = (
    *workers.FAULTS,
    *kafka.FAULTS,
    *clickhouse.FAULTS,
    *s3.FAULTS,
    *disks.FAULTS,
    *records.FAULTS,
)
