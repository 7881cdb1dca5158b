// A chart with its title: grey while it is on its way, what went wrong, nothing found, and the SQL behind it.
import { html } from "../lib/html.js";
import { useState } from "../vendor/preact-hooks.js";
import { ErrorNote } from "./error-note.js";
import { Icon } from "./icon.js";
import { SqlDialog } from "./sql-dialog.js";

/** @typedef {import("../lib/api.js").Chart} Chart */

/**
 * @param {{ title: string, request: import("../lib/use-request.js").Request<Chart>, wide?: boolean, hint?: string,
 *   actions?: import("../vendor/preact.js").ComponentChildren, empty?: string, children?: import("../vendor/preact.js").ComponentChildren }} props
 */
export function ChartCard({ title, request, wide, hint, actions, empty = "No event matches.", children }) {
  const [open, setOpen] = useState(false);
  const { data, error, loading, reload } = request;
  return html`<section class=${`card chart-card${wide ? " wide" : ""}${loading ? " busy" : ""}`} aria-label=${title} aria-busy=${loading}>
    <header><h2 class="grow">${title}</h2>${actions}
      <button class="button plain small" disabled=${!data} onClick=${() => setOpen(true)} aria-label=${`Show the SQL of: ${title}`}><${Icon} name="document" size=${15} /> SQL</button>
    </header>
    ${error && html`<${ErrorNote} error=${error} retry=${reload} />`}
    ${!data && loading && html`<div class="chart-waits shimmer" role="status" aria-label="Loading"></div>`}
    ${data && !data.rows.length && !error && html`<p class="chart-empty muted">${empty}</p>`}
    ${data && data.rows.length > 0 && children}
    ${hint && data && data.rows.length > 0 && html`<p class="hint">${hint}</p>`}
    ${open && data && html`<${SqlDialog} title=${title} chart=${data} close=${() => setOpen(false)} />`}
  </section>`;
}
