// When: a preset, from and to, and a time of day, such as the night shift of every day.
import { DAYS, LAST, timeOfDay, withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { usePreferences } from "../lib/preferences.js";
import { dateTime, momentOf, offset, wallClock, zoneName } from "../lib/time.js";
import { useState } from "../vendor/preact-hooks.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";

/** @typedef {{ currentTarget: HTMLInputElement }} Changed */

/** @param {URLSearchParams} params */
export function timeText(params) {
  const [from, to] = [params.get("from"), params.get("to")];
  const daily = timeOfDay(params);
  const last = params.get("last") ?? "";
  const text = LAST[last]?.[0] ?? DAYS[last]?.[0] ?? (from && to ? `${short(from)} – ${short(to)}` : from ? `since ${short(from)}` : to ? `until ${short(to)}` : "All times");
  return daily ? `${text}, ${daily.start} to ${daily.end}${daily.timeZone === zoneName() ? "" : ` ${daily.timeZone}`}` : text;
}

/** @param {string} moment */
const short = (moment) => dateTime(moment).slice(5, 16);

/** @param {{ params: URLSearchParams, apply: (params: URLSearchParams) => void }} props */
export function TimeRange({ params, apply }) {
  usePreferences();
  const preset = (/** @type {string | null} */ last) => apply(withParams(params, { last, from: null, to: null }));
  return html`<${Menu} key=${params.toString()} label=${html`<${Icon} name="clock" size=${15} /> ${timeText(params)}`} title="Time range" class="button small" align="left" stay>
    <button type="button" onClick=${() => preset(null)}>All times</button>
    ${[...Object.entries(LAST), ...Object.entries(DAYS)].map(([name, [text]]) => html`<button type="button" key=${name} onClick=${() => preset(name)}>${text}</button>`)}
    <${Between} params=${params} apply=${apply} />
    <${TimeOfDay} params=${params} apply=${apply} />
    <p class="hint">Times of ${zoneName()} (${offset()})</p>
  <//>`;
}

/** @param {{ params: URLSearchParams, apply: (params: URLSearchParams) => void }} props */
function Between({ params, apply }) {
  const shown = (/** @type {string | null} */ moment) => (moment ? wallClock(moment).slice(0, 16) : "");
  const [from, setFrom] = useState(shown(params.get("from")));
  const [to, setTo] = useState(shown(params.get("to")));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    apply(withParams(params, { last: null, from: momentOf(from), to: momentOf(to) }));
  };
  return html`<form class="editor-form" onSubmit=${submit}>
    <label class="field"><span>From</span><input type="datetime-local" value=${from} onInput=${(/** @type {Changed} */ event) => setFrom(event.currentTarget.value)} /></label>
    <label class="field"><span>To</span><input type="datetime-local" value=${to} onInput=${(/** @type {Changed} */ event) => setTo(event.currentTarget.value)} /></label>
    <button class="button small" disabled=${!from && !to}>Apply</button>
  </form>`;
}

/** @param {{ params: URLSearchParams, apply: (params: URLSearchParams) => void }} props */
function TimeOfDay({ params, apply }) {
  const given = timeOfDay(params);
  const [start, setStart] = useState(given?.start ?? "");
  const [end, setEnd] = useState(given?.end ?? "");
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    apply(withParams(params, { tod: start && end ? `${start}-${end} ${zoneName()}` : null }));
  };
  return html`<form class="editor-form" onSubmit=${submit}>
    <div class="pair">
      <label class="field"><span>Each day from</span><input type="time" value=${start} onInput=${(/** @type {Changed} */ event) => setStart(event.currentTarget.value)} /></label>
      <label class="field"><span>to</span><input type="time" value=${end} onInput=${(/** @type {Changed} */ event) => setEnd(event.currentTarget.value)} /></label>
    </div>
    <button class="button small" disabled=${Boolean(start) !== Boolean(end)}>${start || !given ? "Apply" : "Any time of day"}</button>
  </form>`;
}
