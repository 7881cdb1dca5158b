// Short messages at the edge: tell("Deleted 3 events"), and an action such as undo.
import { html } from "../lib/html.js";
import { useEffect, useState } from "../vendor/preact-hooks.js";

/** @typedef {{ id: number, text: string, bad: boolean }} Toast */

const SHOWN_MS = 5000;
const told = new EventTarget();
let last = 0;

/** @param {string} text @param {{ bad?: boolean }} [how] `bad`: something went wrong */
export function tell(text, { bad = false } = {}) {
  told.dispatchEvent(new CustomEvent("told", { detail: { id: ++last, text, bad } }));
}

export function Toasts() {
  const [toasts, setToasts] = useState(/** @type {Toast[]} */ ([]));
  useEffect(() => {
    const show = (/** @type {Event} */ event) => {
      const toast = /** @type {CustomEvent<Toast>} */ (event).detail;
      setToasts((before) => [...before.slice(-2), toast]);
      setTimeout(() => setToasts((before) => before.filter((other) => other !== toast)), SHOWN_MS);
    };
    told.addEventListener("told", show);
    return () => told.removeEventListener("told", show);
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.map((toast) => html`<div key=${toast.id} class=${toast.bad ? "toast bad" : "toast"}>${toast.text}</div>`)}
  </div>`;
}
