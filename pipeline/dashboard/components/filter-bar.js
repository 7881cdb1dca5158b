// The filters in force as chips that can be edited in place, and a way to more.
import { COMPARED, SOURCES, comparisonText, comparisons, withComparison, withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { useState } from "../vendor/preact-hooks.js";
import { FILTER_KINDS, FilterEditor } from "./filter-editor.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";
import { TimeRange } from "./time-range.js";

/** @typedef {import("../lib/filters.js").Comparison} Comparison */
/** @typedef {{ kind: string, text: string, without: URLSearchParams, before?: Comparison }} Chip */

/** @param {URLSearchParams} params @returns {Chip[]} */
export function chipsOf(params) {
  /** @type {Chip[]} */
  const chips = [];
  const plain = (/** @type {string} */ kind, /** @type {(value: string) => string} */ text, /** @type {string[]} */ ...names) => {
    const value = params.get(kind);
    if (value) chips.push({ kind, text: text(value), without: withParams(params, Object.fromEntries([kind, ...names].map((name) => [name, null]))) });
  };
  plain("type", (value) => value.replaceAll("_", " ").replaceAll(",", ", "));
  for (const source of SOURCES) plain(source, (value) => `${source} ${value.startsWith("!") ? `is not ${value.slice(1)}` : value}`);
  plain("class", (value) => `${value}${params.get("conf") ? ` ≥ ${params.get("conf")}` : ""}`, "conf");
  plain("feedback", (value) => (value === "none" ? "not reviewed" : `reviewed: ${value}`));
  plain("warnings", () => "with warnings");
  for (const kind of COMPARED)
    for (const before of comparisons(params, kind)) chips.push({ kind, before, text: comparisonText(before), without: withComparison(params, kind, null, before) });
  return chips;
}

/** @param {{ params: URLSearchParams, apply: (params: URLSearchParams) => void }} props */
export function FilterBar({ params, apply }) {
  const chips = chipsOf(params);
  const all = chips.reduce((left, chip) => {
    for (const name of [chip.kind, ...(chip.kind === "class" ? ["conf"] : [])]) left.delete(name);
    return left;
  }, new URLSearchParams(params));
  return html`<div class="filter-bar">
    <${TimeRange} params=${params} apply=${apply} />
    ${chips.map((chip) => html`<span class="chip" key=${chip.kind + chip.text}>
      ${chip.kind === "warnings"
        ? html`<span class="chip-text">${chip.text}</span>`
        : html`<${Menu} label=${chip.text} title=${`Change: ${chip.text}`} class="chip-text" align="left" stay>
            <${FilterEditor} params=${params} kind=${chip.kind} before=${chip.before} apply=${apply} /><//>`}
      <button class="chip-remove" aria-label=${`Remove: ${chip.text}`} onClick=${() => apply(chip.without)}><${Icon} name="close" size=${13} /></button>
    </span>`)}
    <${AddFilter} key=${params.toString()} params=${params} apply=${apply} />
    ${chips.length > 1 && html`<button class="button plain small" onClick=${() => apply(all)}>Clear all</button>`}
  </div>`;
}

/** @param {{ params: URLSearchParams, apply: (params: URLSearchParams) => void }} props */
function AddFilter({ params, apply }) {
  const [kind, setKind] = useState("");
  const label = FILTER_KINDS.find(([name]) => name === kind)?.[1];
  return html`<${Menu} label=${html`<${Icon} name="plus" size=${15} /> Filter`} title="Add a filter" class="button small" align="left" stay>
    ${kind
      ? html`<button type="button" onClick=${() => setKind("")}><${Icon} name="left" size=${15} /> <strong>${label}</strong></button>
          <${FilterEditor} params=${params} kind=${kind} apply=${apply} />`
      : FILTER_KINDS.map(([name, text]) => html`<button type="button" key=${name}
          onClick=${() => (name === "warnings" ? apply(withParams(params, { warnings: "1" })) : setKind(name))}>${text}</button>`)}
  <//>`;
}
