// What was found, as a list: which kinds and classes are drawn, from which confidence on.
import { KINDS, classCounts, colourOf } from "../lib/annotations.js";
import { html } from "../lib/html.js";
import { confidence } from "../lib/numbers.js";
import { FilterLink } from "./filter-link.js";

/** @typedef {import("../lib/annotations.js").Annotation} Annotation */
/** @typedef {{ least: number, hidden: Set<string>, off: boolean }} Drawn `hidden`: kinds and classes that are not drawn */

/** Those that are drawn. @param {Annotation[]} annotations @param {Drawn} drawn */
export const visible = (annotations, { least, hidden, off }) =>
  off ? [] : annotations.filter((found) => !hidden.has(found.kind) && !hidden.has(`class ${found.class}`) && (found.confidence ?? 1) >= least);

/**
 * @param {{ annotations: Annotation[], drawn: Drawn, draw: (drawn: Drawn) => void, chosen: string, choose: (key: string) => void, params: URLSearchParams }} props
 */
export function AnnotationList({ annotations, drawn, draw, chosen, choose, params }) {
  const toggle = (/** @type {string} */ name) => {
    const hidden = new Set(drawn.hidden);
    if (!hidden.delete(name)) hidden.add(name);
    draw({ ...drawn, hidden });
  };
  const kinds = Object.entries(KINDS).filter(([kind]) => annotations.some((found) => found.kind === kind));
  const shown = visible(annotations, { ...drawn, off: false });
  if (!annotations.length) return html`<p class="muted">Nothing was found.</p>`;
  return html`<div class="annotations">
    <div class="toggles">
      <button class=${`button small ${drawn.off ? "" : "on"}`} aria-pressed=${!drawn.off} title="O" onClick=${() => draw({ ...drawn, off: !drawn.off })}>Drawn</button>
      ${kinds.map(([kind, label]) => html`<button key=${kind} class=${`button small ${drawn.hidden.has(kind) ? "" : "on"}`} aria-pressed=${!drawn.hidden.has(kind)} onClick=${() => toggle(kind)}>${label}</button>`)}
      ${classCounts(annotations).map(([name, count]) => html`<button key=${name} class=${`button small class-toggle ${drawn.hidden.has(`class ${name}`) ? "" : "on"}`}
        aria-pressed=${!drawn.hidden.has(`class ${name}`)} onClick=${() => toggle(`class ${name}`)}><span class="dot" style=${{ background: colourOf(name) }}></span>${name} ${count > 1 ? count : ""}</button>`)}
    </div>
    <label class="field"><span>Confidence at least <output>${drawn.least.toFixed(2)}</output></span>
      <input type="range" min="0" max="1" step="0.01" value=${drawn.least}
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => draw({ ...drawn, least: Number(event.currentTarget.value) })} /></label>
    <ul class="found-list">
      ${shown.map((found) => html`<li key=${found.key} class=${chosen === found.key ? "on" : ""}>
        <button aria-pressed=${chosen === found.key} onClick=${() => choose(chosen === found.key ? "" : found.key)}><span class="dot" style=${{ background: colourOf(found.class) }}></span>
          <span class="out-of-sight">Mark </span>${found.class}</button>
        <span class="grow muted">${found.kind === "classifications" ? "whole picture" : found.width && found.height ? `${Math.round(found.width)} × ${Math.round(found.height)} px` : ""}</span>
        <${FilterLink} params=${params} name="class" value=${found.class}>${confidence(found.confidence)}<//>
      </li>`)}
    </ul>
    ${shown.length < annotations.length && html`<p class="hint">${annotations.length - shown.length} not shown</p>`}
  </div>`;
}
