// Asks before something that cannot be undone, or that many would notice.
import { html } from "../lib/html.js";
import { useState } from "../vendor/preact-hooks.js";
import { Dialog } from "./dialog.js";

/**
 * @param {{ title: string, text: string, action: string, danger?: boolean, run: () => Promise<unknown>, close: () => void }} props
 */
export function Confirm({ title, text, action, danger, run, close }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await run();
      close();
    } catch (problem) {
      setError(/** @type {Error} */ (problem).message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} close=${close}>
    <form onSubmit=${submit}>
      <p>${text}</p>
      ${error && html`<p class="field-error" role="alert">${error}</p>`}
      <footer>
        <button type="button" class="button" onClick=${close}>Cancel</button>
        <button class=${`button ${danger ? "danger" : "primary"}`} disabled=${busy} autofocus>${action}</button>
      </footer>
    </form>
  <//>`;
}
