// Asks for one line of text, such as a name.
import { html } from "../lib/html.js";
import { useState } from "../vendor/preact-hooks.js";
import { Dialog } from "./dialog.js";

/**
 * @param {{ title: string, label: string, value?: string, action: string, hint?: string, run: (text: string) => Promise<unknown>, close: () => void }} props
 */
export function AskText({ title, label, value = "", action, hint, run, close }) {
  const [text, setText] = useState(value);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim()) return;
    setBusy(true);
    try {
      await run(text.trim());
      close();
    } catch (problem) {
      setError(/** @type {Error} */ (problem).message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} close=${close}>
    <form onSubmit=${submit}>
      <label class="field"><span>${label}</span>
        <input type="text" maxlength="256" value=${text} autofocus
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => setText(event.currentTarget.value)} />
      </label>
      ${hint && html`<p class="hint">${hint}</p>`}
      ${error && html`<p class="field-error" role="alert">${error}</p>`}
      <footer>
        <button type="button" class="button" onClick=${close}>Cancel</button>
        <button class="button primary" disabled=${busy || !text.trim()}>${action}</button>
      </footer>
    </form>
  <//>`;
}
