// Keeps alerts like one from its receivers for a while: which labels they share, how long, and why.
import { api, serverNow } from "../lib/api.js";
import { html } from "../lib/html.js";
import { preferences } from "../lib/preferences.js";
import { useState } from "../vendor/preact-hooks.js";
import { Dialog } from "./dialog.js";
import { tell } from "./toasts.js";

/** @typedef {{ currentTarget: HTMLInputElement & HTMLSelectElement }} Changed */

/** @type {[string, number][]} */
const LENGTHS = [["30 minutes", 0.5], ["2 hours", 2], ["8 hours", 8], ["1 day", 24], ["7 days", 168]];

/** @param {{ alert: import("../lib/api.js").Alert, close: () => void, done: () => void }} props */
export function SilenceDialog({ alert, close, done }) {
  const own = new Set(["alertname", ...Object.keys(alert.group)]);
  const [labels, setLabels] = useState(Object.keys(alert.labels).filter((label) => own.has(label)));
  const [hours, setHours] = useState(2);
  const [comment, setComment] = useState("");
  const [error, setError] = useState("");
  const toggle = (/** @type {string} */ label) => setLabels((before) => (before.includes(label) ? before.filter((other) => other !== label) : [...before, label]));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await api.createSilence({
        matchers: labels.map((label) => ({ label, value: alert.labels[label] })),
        endsAt: new Date(serverNow() + hours * 3_600_000).toISOString(),
        comment,
        createdBy: preferences().reviewer,
      });
      tell("Silenced. What is told already stays told.");
      done();
      close();
    } catch (problem) {
      setError(/** @type {Error} */ (problem).message);
    }
  };
  return html`<${Dialog} title="Silence alerts like this" close=${close}>
    <form onSubmit=${submit}>
      <fieldset class="labels"><legend>Alerts that have</legend>
        ${Object.entries(alert.labels).map(([label, value]) => html`<label key=${label} class="check"><input type="checkbox" checked=${labels.includes(label)} onChange=${() => toggle(label)} /> <span>${label} <strong>${value}</strong></span></label>`)}
      </fieldset>
      <label class="field"><span>For</span><select value=${hours} onChange=${(/** @type {Changed} */ event) => setHours(Number(event.currentTarget.value))}>
        ${LENGTHS.map(([text, value]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
      <label class="field"><span>Why</span><input type="text" maxlength="1000" value=${comment} autofocus placeholder="tool change" onInput=${(/** @type {Changed} */ event) => setComment(event.currentTarget.value)} /></label>
      <p class="hint">Such alerts that begin meanwhile are recorded, and nobody is told.</p>
      ${error && html`<p class="field-error" role="alert">${error}</p>`}
      <footer><button type="button" class="button" onClick=${close}>Cancel</button><button class="button primary" disabled=${!labels.length}>Silence</button></footer>
    </form>
  <//>`;
}
