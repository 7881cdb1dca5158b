// Log in with a key. The key is sent once; a cookie that no script can read stands for it afterwards.
import { Icon } from "../components/icon.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { useEffect, useState } from "../vendor/preact-hooks.js";

/** @param {{ problem: string, done: (session: import("../lib/api.js").Session) => void }} props */
export function LogIn({ problem, done }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Log in · Vision Events";
  }, []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      done(await api.logIn({ key }));
    } catch (problem) {
      setError(/** @type {Error} */ (problem).message);
      setBusy(false);
    }
  };
  return html`<main class="log-in">
    <form class="card" onSubmit=${submit}>
      <h1><img src="/dashboard/icon.svg" alt="" width="32" height="32" /> Vision Events</h1>
      <label class="field"><span>API key</span>
        <input type="password" name="key" autocomplete="current-password" spellcheck=${false} autofocus value=${key}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => setKey(event.currentTarget.value)} />
      </label>
      ${(error || problem) && html`<p class="field-error" role="alert"><${Icon} name="alert" size=${16} /> ${error || problem}</p>`}
      <button class="button primary" disabled=${busy || !key.trim()}>Log in</button>
      <p class="hint">No key at hand? On the machine that runs the system, <code>vision-events dashboard</code> prints a link
        that logs you in, and <code>vision-events keys create NAME</code> makes a key.</p>
    </form>
  </main>`;
}
