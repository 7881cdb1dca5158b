// The form of one filter, within a chip or the menu of filters. `apply` takes the whole of the changed filters.
import { html } from "../lib/html.js";
import { EVENT_TYPES, FEEDBACK, SOURCES, withComparison, withParams } from "../lib/filters.js";
import { useState } from "../vendor/preact-hooks.js";
import { ComparisonEditor } from "./comparison-editor.js";
import { SuggestInput } from "./suggest-input.js";

/** @typedef {import("../lib/filters.js").Comparison} Comparison */
/** @typedef {{ params: URLSearchParams, kind: string, before?: Comparison, apply: (params: URLSearchParams) => void }} EditorProps */
/** @typedef {{ currentTarget: HTMLInputElement }} Changed */

/** What can be filtered by, as people call it. @type {[kind: string, label: string][]} */
export const FILTER_KINDS = [
  ["class", "Class and confidence"],
  ["data", "Result and other data"],
  ["meta", "Metadata"],
  ["feedback", "Review"],
  ["device", "Device"],
  ["stream", "Stream"],
  ["workflow", "Workflow"],
  ["factory", "Factory"],
  ["type", "Event type"],
  ["image", "Image metadata"],
  ["warnings", "Only with warnings"],
];

/** @param {EditorProps} props */
export function FilterEditor(props) {
  const { params, kind, apply } = props;
  if (kind === "class") return html`<${ClassEditor} ...${props} />`;
  if (kind === "type") return html`<${TypesEditor} ...${props} />`;
  if (kind === "feedback")
    return html`<${Choice} values=${FEEDBACK} chosen=${params.get("feedback")} label=${(/** @type {string} */ value) => (value === "none" ? "not reviewed" : value)}
      choose=${(/** @type {string} */ value) => apply(withParams(params, { feedback: value }))} />`;
  if (/** @type {readonly string[]} */ (SOURCES).includes(kind)) return html`<${SourceEditor} ...${props} />`;
  return html`<${ComparisonEditor} params=${params} kind=${kind} before=${props.before}
    apply=${(/** @type {Comparison} */ comparison) => apply(withComparison(params, kind, comparison, props.before))} />`;
}

/** @param {{ values: readonly string[], chosen: string | null, label?: (value: string) => string, choose: (value: string) => void }} props */
function Choice({ values, chosen, label = (value) => value, choose }) {
  return html`<div class="choices">${values.map(
    (value) => html`<button type="button" key=${value} class=${value === chosen ? "on" : ""} onClick=${() => choose(value)}>${label(value)}</button>`,
  )}</div>`;
}

/** @param {EditorProps} props */
function SourceEditor({ params, kind, apply }) {
  const given = params.get(kind) ?? "";
  const [not, setNot] = useState(given.startsWith("!"));
  const [value, setValue] = useState(given.replace(/^!/, ""));
  const done = (/** @type {string} */ chosen) => apply(withParams(params, { [kind]: chosen && (not ? `!${chosen}` : chosen) }));
  return html`<form class="editor-form" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), done(value.trim()))}>
    <div class="segmented">
      <button type="button" aria-pressed=${!not} onClick=${() => setNot(false)}>is</button>
      <button type="button" aria-pressed=${not} onClick=${() => setNot(true)}>is not</button>
    </div>
    <${SuggestInput} label=${kind} useCase=${params.get("useCase")} field=${kind} value=${value} change=${setValue} choose=${done} />
    <button class="button primary small">Apply</button>
  </form>`;
}

/** @param {EditorProps} props */
function ClassEditor({ params, apply }) {
  const [name, setName] = useState(params.get("class") ?? "");
  const [least, setLeast] = useState(Number(params.get("conf") ?? 0));
  const done = () => apply(withParams(params, { class: name.trim(), conf: name.trim() && least > 0 ? String(least) : null }));
  return html`<form class="editor-form" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), done())}>
    <label class="field"><span>Confidence at least <output>${least.toFixed(2)}</output></span>
      <input type="range" min="0" max="1" step="0.01" value=${least} onInput=${(/** @type {Changed} */ event) => setLeast(Number(event.currentTarget.value))} /></label>
    <${SuggestInput} label="Class" useCase=${params.get("useCase")} field="class" value=${name} change=${setName} />
    <button class="button primary small">Apply</button>
  </form>`;
}

/** @param {EditorProps} props */
function TypesEditor({ params, apply }) {
  const [types, setTypes] = useState(params.get("type")?.split(",") ?? []);
  const toggle = (/** @type {string} */ type) => setTypes((before) => (before.includes(type) ? before.filter((other) => other !== type) : [...before, type]));
  return html`<form class="editor-form" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), apply(withParams(params, { type: types.join(",") })))}>
    ${[...EVENT_TYPES, "operator_feedback"].map((type) => html`<label key=${type} class="check">
      <input type="checkbox" checked=${types.includes(type)} onChange=${() => toggle(type)} />${type.replaceAll("_", " ")}</label>`)}
    <button class="button primary small">Apply</button>
  </form>`;
}

