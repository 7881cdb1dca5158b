// Filters that were given a name, for everybody of the workspace.
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { preferences } from "../lib/preferences.js";
import { addressOf } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { useRequest } from "../lib/use-request.js";
import { useState } from "../vendor/preact-hooks.js";
import { AskText } from "./ask-text.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";
import { tell } from "./toasts.js";

/** @param {{ params: URLSearchParams }} props */
export function SavedViews({ params }) {
  const { canWrite, keyName } = useSession();
  const views = useRequest((signal) => api.views(signal), []);
  const [asking, setAsking] = useState(false);
  const save = async (/** @type {string} */ name) => {
    await api.saveView(name, params.toString(), preferences().reviewer || keyName);
    views.reload();
    tell(`Saved as ${name}`);
  };
  const remove = async (/** @type {import("../lib/api.js").View} */ view) => {
    await api.deleteView(view.id).catch((error) => tell(error.message, { bad: true }));
    views.reload();
  };
  const saved = views.data?.views ?? [];
  return html`<${Menu} label=${html`<${Icon} name="save" size=${16} /> Views`} title="Saved views">
      ${views.error && html`<p class="hint">${views.error.message}</p>`}
      ${saved.map((view) => html`<span class="menu-row" key=${view.id}>
        <a class="grow" href=${addressOf("events", new URLSearchParams(view.query))} title=${view.madeBy ? `by ${view.madeBy}` : ""}>${view.name}</a>
        ${canWrite && html`<button class="button plain icon-only" aria-label=${`Delete the view ${view.name}`} onClick=${() => remove(view)}><${Icon} name="trash" size=${14} /></button>`}
      </span>`)}
      ${!saved.length && html`<p class="hint">None yet. Choose filters and keep them here.</p>`}
      ${canWrite && html`<button onClick=${() => setAsking(true)}><${Icon} name="plus" size=${15} /> Save what is shown</button>`}
    <//>
    ${asking && html`<${AskText} title="Save this view" label="Name" action="Save" run=${save} close=${() => setAsking(false)}
      hint="Everybody of the workspace can open it." />`}`;
}
