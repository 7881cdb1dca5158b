// YAML with line numbers, and what is wrong beside its line.
import { html } from "../lib/html.js";
import { useRef } from "../vendor/preact-hooks.js";

/** @typedef {import("../lib/api.js").Fault} Fault */

/** @param {{ text: string, faults: Fault[], readOnly: boolean, change: (text: string) => void, save: () => void }} props */
export function DocumentEditor({ text, faults, readOnly, change, save }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const lines = text.split("\n");
  const byLine = Map.groupBy(faults, (fault) => Math.min(fault.line, lines.length));
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      save();
    }
  };
  const goTo = (/** @type {number} */ line) => {
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    area.current?.focus();
    area.current?.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  };
  return html`<div class="editor">
    <ol class="editor-lines" aria-hidden="true">
      ${lines.map((_, index) => html`<li key=${index} class=${byLine.has(index + 1) ? "bad" : ""}></li>`)}
    </ol>
    <textarea ref=${area} class="editor-text" aria-label="Document, YAML" spellcheck=${false} wrap="off" rows=${lines.length + 1}
      readOnly=${readOnly} value=${text} onKeyDown=${onKeyDown}
      onInput=${(/** @type {{ currentTarget: HTMLTextAreaElement }} */ event) => change(event.currentTarget.value)}></textarea>
    <div class="editor-faults">
      ${[...byLine].map(([line, found]) => html`<button key=${line} class="editor-fault" style=${{ "--line": line - 1 }} onClick=${() => goTo(line)}
        title=${found.map(({ field, message }) => `${field}: ${message}`).join("\n")}>
        <strong>Line ${line}</strong> ${found.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("; ")}
      </button>`)}
    </div>
  </div>`;
}
