// The SQL behind a chart, which runs in ClickHouse as it stands, and the numbers that it gave.
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icon.js";
import { tell } from "./toasts.js";

const SHOWN = 100;

/** @param {{ title: string, chart: import("../lib/api.js").Chart, close: () => void }} props */
export function SqlDialog({ title, chart, close }) {
  const copy = () =>
    navigator.clipboard.writeText(chart.sql).then(
      () => tell("Copied"),
      () => tell("The browser does not let this page copy; mark the text and copy it yourself", { bad: true }),
    );
  const names = Object.keys(chart.rows[0] ?? {});
  return html`<${Dialog} title=${`${title}: SQL`} close=${close} wide>
    <div class="sql">
      <p class="muted">It stands alone: run it with <code>vision-events sql</code>, or with any client in the database of this system (docs/sql.md).</p>
      <pre tabindex="0" aria-label="SQL">${chart.sql}</pre>
      <button class="button primary small" onClick=${copy}><${Icon} name="copy" size=${15} /> Copy</button>
      ${names.length > 0 && html`<details><summary>The ${chart.rows.length > SHOWN ? `first ${SHOWN} of ` : ""}${count(chart.rows.length)} rows that it gave</summary>
        <div class="table-frame"><table><thead><tr>${names.map((name) => html`<th key=${name}>${name}</th>`)}</tr></thead>
          <tbody>${chart.rows.slice(0, SHOWN).map((row) => html`<tr>${names.map((name) => html`<td key=${name}>${typeof row[name] === "object" ? JSON.stringify(row[name]) : String(row[name])}</td>`)}</tr>`)}</tbody></table></div>
      </details>`}
    </div>
  <//>`;
}
