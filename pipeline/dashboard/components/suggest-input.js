// A text field with the values that there are below it, the most frequent first. Slow or failing suggestions never stand in the way.
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { useRequest } from "../lib/use-request.js";
import { useEffect, useState } from "../vendor/preact-hooks.js";

const ASK_AFTER_MS = 150;

/** @param {{ label: string, useCase: string, field: string, value: string, change: (value: string) => void, choose?: (value: string) => void }} props */
export function SuggestInput({ label, useCase, field, value, change, choose = change }) {
  const [asked, setAsked] = useState("");
  const [given] = useState(value);
  useEffect(() => {
    // The value that was there is what somebody wants to change: all others are shown.
    if (value === given) return;
    const timer = setTimeout(() => setAsked(value), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [value, given]);
  const found = useRequest((signal) => (field ? api.suggestions(useCase, field, asked, signal) : Promise.resolve({ values: [] })), [useCase, field, asked]);
  const values = found.data?.values ?? [];
  return html`<div class="suggest">
    <label class="field"><span>${label}</span>
      <input type="text" value=${value} autocomplete="off" autofocus
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => change(event.currentTarget.value)} /></label>
    <ul class="suggestions" aria-label="Values seen lately">
      ${values.map((each) => html`<li key=${each.value}><button type="button" class=${each.value === value ? "on" : ""} onClick=${() => choose(each.value)}>
        <span class="grow">${each.value}</span><span class="muted">${count(each.count)}</span></button></li>`)}
      ${!values.length && html`<li class="hint">${found.error ? "No suggestions; write the value." : found.loading ? "Looking …" : "Nothing like this among the newest events."}</li>`}
    </ul>
  </div>`;
}
