// A comparison of a key of metadata, of image metadata, or of a field of the event's data.
import { api } from "../lib/api.js";
import { OPERATORS } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { useRequest } from "../lib/use-request.js";
import { useState } from "../vendor/preact-hooks.js";
import { SuggestInput } from "./suggest-input.js";

/** @typedef {import("../lib/filters.js").Comparison} Comparison */
/** @typedef {{ currentTarget: HTMLInputElement & HTMLSelectElement }} Changed */

/** Fields of events' data, and the values of those that have few. @type {Record<string, { type: string, values?: string[] }>} */
const DATA = {
  result: { type: "string", values: ["pass", "fail"] },
  confidence: { type: "number" },
  severity: { type: "string", values: ["low", "medium", "high"] },
  alertType: { type: "string" },
  itemCount: { type: "number" },
  itemType: { type: "string" },
  location: { type: "string" },
  description: { type: "string" },
  value: { type: "string" },
  externalId: { type: "string" },
};
/** @type {Record<string, string[]>} */
const FITTING = {
  string: ["eq", "neq", "contains"],
  number: ["eq", "neq", "gt", "gte", "lt", "lte"],
  boolean: ["eq", "neq"],
};

/** @param {{ params: URLSearchParams, kind: string, before?: Comparison, apply: (comparison: Comparison) => void }} props */
export function ComparisonEditor({ params, kind, before, apply }) {
  const useCase = params.get("useCase") ?? "";
  const source = kind === "meta" ? "custom" : "image";
  const fields = useRequest(async (signal) => {
    if (kind === "data") return DATA;
    const seen = (await api.metadataFields(source, useCase, signal)).fields;
    return Object.fromEntries(Object.entries(seen).map(([name, { types }]) => [name, { type: types[0] }]));
  }, [kind, useCase]);
  const [field, setField] = useState(before?.[0] ?? (kind === "data" ? "result" : ""));
  const [operator, setOperator] = useState(before?.[1] ?? "eq");
  const [value, setValue] = useState(before ? String(before[2]) : "");
  const known = /** @type {Record<string, { type: string, values?: string[] }>} */ (fields.data ?? {});
  const type = known[field]?.type ?? (before ? typeof before[2] : "string");
  const values = type === "boolean" ? ["true", "false"] : known[field]?.values;
  const done = (/** @type {string} */ text) => {
    const typed = type === "number" ? Number(text) : type === "boolean" ? text === "true" : text;
    if (field && text !== "" && !Number.isNaN(typed)) apply([field, FITTING[type].includes(operator) ? operator : "eq", typed]);
  };
  return html`<form class="editor-form" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), done(value))}>
    <label class="field"><span>Field</span>
      <select value=${field} onChange=${(/** @type {Changed} */ event) => (setField(event.currentTarget.value), setValue(""))}>
        <option value="" disabled>${fields.loading ? "Looking …" : fields.error ? "could not be read" : "choose"}</option>
        ${[...new Set([...Object.keys(known), ...(field ? [field] : [])])].map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select></label>
    <label class="field"><span>Comparison</span>
      <select value=${operator} onChange=${(/** @type {Changed} */ event) => setOperator(event.currentTarget.value)}>
        ${OPERATORS.filter(([name]) => FITTING[type].includes(name)).map(([name, sign]) => html`<option key=${name} value=${name}>${sign}</option>`)}
      </select></label>
    ${values
      ? html`<div class="choices">${values.map((each) => html`<button type="button" key=${each} class=${each === value ? "on" : ""} onClick=${() => done(each)}>${each}</button>`)}</div>`
      : html`<${SuggestInput} label="Value" useCase=${useCase} field=${field && kind !== "data" ? `${source}:${field}` : ""} value=${value} change=${setValue}
          choose=${operator === "eq" || operator === "neq" ? done : setValue} />
        <button class="button primary small" disabled=${!field || value === ""}>Apply</button>`}
  </form>`;
}
