// Logic of the dashboard without a browser: times of a zone, and filters as they become a query. Run by Node, in
// tests/unit/test_dashboard_files.py.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.localStorage = { getItem: () => JSON.stringify({ zone: "Europe/Berlin" }), setItem() {} };
const { dateTime, momentOf, span } = await import("../../pipeline/dashboard/lib/time.js");
const { queryOf, timeOfDay, withComparison } = await import("../../pipeline/dashboard/lib/filters.js");

test("a wall clock of the zone is a moment, before and after the clocks change", () => {
  const moments = {
    "2026-11-24T00:00": "2026-11-23T23:00:00.000Z",
    "2026-03-29T01:59": "2026-03-29T00:59:00.000Z",
    "2026-03-29T03:00": "2026-03-29T01:00:00.000Z",
    "2026-10-25T03:00": "2026-10-25T02:00:00.000Z",
  };
  for (const [text, moment] of Object.entries(moments)) {
    assert.equal(momentOf(text), moment);
    assert.equal(dateTime(moment), `${text.replace("T", " ")}:00`);
  }
  assert.equal(dateTime(momentOf("2026-03-29T02:30")), "2026-03-29 03:30:00"); // skipped: an hour later
  assert.equal(momentOf("no time"), "");
});

test("spans are rough", () => {
  assert.deepEqual([5, 200, 7200, 30 * 3600, 9 * 86400].map(span), ["5 s", "3 min", "2 h", "30 h", "9 d"]);
});

test("an address becomes a query", () => {
  const now = Date.parse("2026-11-24T09:00:00Z");
  const asked = (text) => queryOf(new URLSearchParams(`useCase=parts&${text}`), now);
  assert.equal(asked("last=1h").startTime, "2026-11-24T08:00:00.000Z");
  const night = asked("last=night");
  assert.deepEqual([night.startTime, night.endTime], ["2026-11-23T21:00:00.000Z", "2026-11-24T05:00:00.000Z"]);
  assert.deepEqual(asked("device=!cam-7").deviceId, { operator: "neq", value: "cam-7" });
  assert.deepEqual(asked("class=scratch&conf=0.8").detectionClass, { value: "scratch", minConfidence: 0.8 });
  assert.deepEqual(asked('meta=["n","gte",3]&meta=broken').customMetadataFilters, [{ field: "n", operator: "gte", value: 3, type: "number" }]);
  assert.ok(!asked("").eventTypes.includes("operator_feedback"));
  assert.deepEqual(asked("type=operator_feedback").eventTypes, ["operator_feedback"]);
});

test("a time of day keeps its zone", () => {
  const daily = (text) => timeOfDay(new URLSearchParams({ tod: text }));
  assert.deepEqual(daily("22:00-06:00 Asia/Tokyo"), { start: "22:00", end: "06:00", timeZone: "Asia/Tokyo" });
  assert.equal(daily("22:00-06:00").timeZone, "Europe/Berlin");
  assert.equal(daily("late"), null);
});

test("another value of a key takes the place of the one before", () => {
  const params = new URLSearchParams('meta=["line","eq","L1"]&meta=["n","gt",2]');
  assert.deepEqual(withComparison(params, "meta", ["line", "eq", "L2"]).getAll("meta"), ['["n","gt",2]', '["line","eq","L2"]']);
  assert.deepEqual(withComparison(params, "meta", null, ["n", "gt", 2]).getAll("meta"), ['["line","eq","L1"]']);
});
