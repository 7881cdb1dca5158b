-- When the workers last looked for replaced events (pipeline/edges/sweep.py): they take turns, and go on after a restart
-- from where the last sweep began. Merges keep only the newest row.
CREATE TABLE replacement_sweeps
(
    started_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(started_at)
ORDER BY tuple();
