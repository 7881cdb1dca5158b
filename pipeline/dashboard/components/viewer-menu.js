// Whose session it is and how its viewer likes things: theme, time zone, name beside reviews; and the way out.
import { html } from "../lib/html.js";
import { setPreferences, usePreferences } from "../lib/preferences.js";
import { useSession } from "../lib/session.js";
import { offset, zoneName } from "../lib/time.js";
import { Icon } from "./icon.js";

/** @typedef {{ currentTarget: HTMLInputElement & HTMLSelectElement }} Changed */

/** @param {{ leave: () => void }} props */
export function ViewerMenu({ leave }) {
  const session = useSession();
  const { theme, zone, reviewer } = usePreferences();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...new Set(session.factories.map((factory) => factory.timeZone))].sort();
  const named = (/** @type {string} */ name) =>
    session.factories.filter((factory) => factory.timeZone === name).map((factory) => factory.name || factory.id);
  return html`<div class="viewer">
    <label class="field"><span>Times in</span>
      <select value=${zone} onChange=${(/** @type {Changed} */ event) => setPreferences({ zone: event.currentTarget.value })}>
        <option value="browser">My zone (${here})</option>
        ${zones.map((name) => html`<option key=${name} value=${name}>${name} (${named(name).join(", ")})</option>`)}
        ${!zones.includes("UTC") && html`<option value="UTC">UTC</option>`}
      </select>
    </label>
    <p class="hint zone-shown">${zoneName()}, ${offset()}</p>
    <label class="field"><span>My name beside reviews</span>
      <input type="text" maxlength="100" placeholder=${session.keyName} value=${reviewer}
        onChange=${(/** @type {Changed} */ event) => setPreferences({ reviewer: event.currentTarget.value.trim() })} />
    </label>
    <div class="segmented" role="radiogroup" aria-label="Theme">
      ${[["system", "Auto"], ["light", "Light"], ["dark", "Dark"]].map(
        ([value, label]) => html`<button key=${value} role="radio" aria-checked=${theme === value}
          onClick=${() => setPreferences({ theme: /** @type {any} */ (value) })}>${label}</button>`,
      )}
    </div>
    <div class="session">
      <span class="grow"><strong>${session.workspace}</strong><br /><span class="muted">${session.keyName}${session.canWrite ? "" : ", may only read"}</span></span>
      <button class="button plain icon-only" title="Log out" aria-label="Log out" onClick=${leave}><${Icon} name="leave" /></button>
    </div>
  </div>`;
}
