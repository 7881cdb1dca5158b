// Chooses what to split by.
import { html } from "../lib/html.js";
import { keyLabel } from "../lib/analysis.js";

/** @param {{ label: string, value: string, keys: string[], none?: string, change: (key: string) => void }} props `none`: how nothing is called, where it may be chosen */
export function KeySelect({ label, value, keys, none, change }) {
  const group = (/** @type {string} */ title, /** @type {string[]} */ names) =>
    names.length > 0 && html`<optgroup label=${title}>${names.map((key) => html`<option key=${key} value=${key}>${keyLabel(key)}</option>`)}</optgroup>`;
  const of = (/** @type {string} */ kind) => keys.filter((key) => key.startsWith(`${kind}:`));
  return html`<label class="key-select"><span>${label}</span>
    <select value=${value} onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ event) => change(event.currentTarget.value)}>
      ${none && html`<option value="">${none}</option>`}
      ${group("Metadata", of("meta"))}${group("Source", keys.filter((key) => !key.includes(":")))}${group("Event data", of("data"))}
    </select></label>`;
}
