// The two spans of a comparison: presets, or four times.
import { html } from "../lib/html.js";
import { momentOf, offset, wallClock, zoneName } from "../lib/time.js";
import { useState } from "../vendor/preact-hooks.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";

/** @typedef {import("../lib/analysis.js").Between} Between */

/** @type {[string, number][]} */
const LENGTHS = [["Last hour, and the hour before", 1], ["Last 8 hours, and the 8 before", 8], ["Last day, and the day before", 24], ["Last 7 days, and the 7 before", 168]];
const FIELDS = ["Before, from", "to", "After, from", "to"];

/** @param {{ before: Between, after: Between, set: (before: Between, after: Between) => void }} props */
export function SpanFields({ before, after, set }) {
  const [times, setTimes] = useState([before.since, before.until, after.since, after.until].map((moment) => wallClock(moment).slice(0, 16)));
  const preset = (/** @type {number} */ hours) => {
    const now = Date.now();
    const [oldest, middle, newest] = [2, 1, 0].map((times) => new Date(now - times * hours * 3_600_000).toISOString());
    set({ since: oldest, until: middle }, { since: middle, until: newest });
  };
  const moments = times.map(momentOf);
  const valid = moments.every(Boolean) && moments[0] < moments[1] && moments[2] < moments[3];
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (valid) set({ since: moments[0], until: moments[1] }, { since: moments[2], until: moments[3] });
  };
  return html`<${Menu} label=${html`<${Icon} name="pencil" size=${15} /> Times`} title="Times to compare" class="button small" stay>
    ${LENGTHS.map(([text, hours]) => html`<button type="button" key=${hours} onClick=${() => preset(hours)}>${text}</button>`)}
    <form class="editor-form" onSubmit=${submit}>
      ${FIELDS.map((label, index) => html`<label class="field" key=${index}><span>${label}</span>
        <input type="datetime-local" value=${times[index]} onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => setTimes(times.with(index, event.currentTarget.value))} /></label>`)}
      <button class="button primary small" disabled=${!valid}>Compare</button>
      <p class="hint">Times of ${zoneName()} (${offset()})</p>
    </form>
  <//>`;
}
