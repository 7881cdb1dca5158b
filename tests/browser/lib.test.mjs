// Logic of the dashboard without a browser: times of a zone, and filters as they become a query. Run by Node, in
// tests/unit/test_dashboard_files.py.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.localStorage = { getItem: () => JSON.stringify({ zone: "Europe/Berlin" }), setItem() {} };
const { dateTime, momentOf, span } = await import("../../pipeline/dashboard/lib/time.js");
const { queryOf, timeOfDay, withComparison } = await import("../../pipeline/dashboard/lib/filters.js");
const { filteredBy, spanOf } = await import("../../pipeline/dashboard/lib/analysis.js");
const { chanceOf } = await import("../../pipeline/dashboard/lib/statistics.js");
const { stateOf } = await import("../../pipeline/dashboard/lib/devices.js");
const { eventsOf } = await import("../../pipeline/dashboard/lib/alerts.js");

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

test("a value of a chart becomes a filter of its own type", () => {
  const fields = { line_id: { types: ["string"] }, temperature: { types: ["number"] }, rework: { types: ["boolean"] } };
  const none = new URLSearchParams();
  assert.deepEqual(filteredBy(none, "meta:line_id", "3", fields)?.getAll("meta"), ['["line_id","eq","3"]']);
  assert.deepEqual(filteredBy(none, "meta:temperature", "3", fields)?.getAll("meta"), ['["temperature","eq",3]']);
  assert.deepEqual(filteredBy(none, "meta:rework", "true", fields)?.getAll("meta"), ['["rework","eq",true]']);
  assert.deepEqual(filteredBy(none, "data:result", "fail", fields)?.getAll("data"), ['["result","eq","fail"]']);
  assert.equal(filteredBy(none, "device", "cam-1", fields)?.get("device"), "cam-1");
  assert.equal(filteredBy(none, "device", "", fields), null);
  const cut = "x".repeat(200); // what charts show of a longer text
  assert.deepEqual(filteredBy(none, "meta:line_id", cut, fields)?.getAll("meta"), [`["line_id","contains","${cut}"]`]);
});

test("spans of a comparison are read from the address, in order only", () => {
  assert.deepEqual(spanOf("2026-11-24T00:00:00Z~2026-11-24T01:00:00Z"), { since: "2026-11-24T00:00:00Z", until: "2026-11-24T01:00:00Z" });
  for (const text of [null, "", "x~y", "2026-11-24T01:00:00Z~2026-11-24T00:00:00Z"]) assert.equal(spanOf(text), null);
});

test("a difference is told from chance", () => {
  assert.ok(Math.abs(/** @type {number} */ (chanceOf(50, 1000, 80, 1000)) - 0.0065) < 0.0001);
  assert.ok(/** @type {number} */ (chanceOf(50, 1000, 50, 1000)) > 0.999);
  assert.equal(chanceOf(1, 20, 2, 20), null); // too few
  assert.equal(chanceOf(0, 0, 2, 20), null);
});

test("a device is quiet after unusual silence only", () => {
  const now = Date.parse("2026-11-24T09:00:00Z");
  const device = (changes) => stateOf({ lastEvent: "2026-11-24T08:50:00Z", lastDay: 100, quietAfterSeconds: 300, rejects: 0, ...changes }, now);
  assert.equal(device({}), "quiet");
  assert.equal(device({ quietAfterSeconds: 900 }), "live");
  assert.equal(device({ lastDay: 0, quietAfterSeconds: null }), "silent");
  assert.equal(device({ lastDay: 0, lastEvent: null }), "never");
  assert.equal(device({ lastDay: 0, rejects: 3 }), "rejected");
});

test("the events of an alert are those of its group, around its time", () => {
  const alert = { useCaseId: "parts", group: { factory_id: "koeln", line_id: "L1", zone: "" }, startsAt: "2026-11-24T08:00:00Z", endsAt: null };
  const address = new URL(eventsOf(alert), "http://here");
  assert.equal(address.searchParams.get("factory"), "koeln");
  assert.deepEqual(address.searchParams.getAll("meta"), ['["line_id","eq","L1"]']);
  assert.equal(address.searchParams.get("from"), "2026-11-24T07:59:00.000Z");
});
