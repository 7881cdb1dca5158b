// Services, processes and topics of the pipeline.
import { html } from "../lib/html.js";
import { count, counted } from "../lib/numbers.js";

/** @typedef {{ state: import("../lib/api.js").SystemState }} Props */

/** @param {Props} props */
export function ServicesTable({ state }) {
  return html`<section class="card chart-card" aria-label="Services"><h2>Services</h2>
    <table><tbody>
      ${Object.entries(state.health).map(([name, answer]) => html`<tr key=${name}><th scope="row">${name}</th><td class="message"><code>${state.addresses[name] ?? ""}</code>${answer !== "ok" && html`<div class="field-error">${answer}</div>`}</td>
        <td class="number"><span class=${`badge ${answer === "ok" ? "good" : "bad"}`}>${answer === "ok" ? "answers" : "away"}</span></td></tr>`)}
      <tr><th scope="row">workers</th><td class="message">in the consumer group</td><td class="number"><span class=${`badge ${state.workers ? "good" : "warn"}`}>${state.workers ?? "not known"}</span></td></tr>
      <tr><th scope="row">events</th><td class="message">in the table; an id that came again counts once</td><td class="number"><strong>${state.events === null ? "–" : count(state.events)}</strong></td></tr>
    </tbody></table></section>`;
}

/** The processes of a running `up`. @param {Props} props */
export function PartsTable({ state }) {
  const parts = Object.entries(state.parts);
  return html`<section class="card chart-card" aria-label="Parts"><h2>Parts</h2>
    ${parts.length
      ? html`<table><tbody>${parts.map(([name, part]) => html`<tr key=${name}><th scope="row">${name}</th>
          <td class="message">process ${part.pid}${part.problem && html`<div class="field-error">${part.problem}</div>`}</td>
          <td class="number">${part.restarts > 0 && html`<span class="badge warn">${counted(part.restarts, "restart")}</span> `}<span class=${`badge ${part.state === "running" ? "good" : "warn"}`}>${part.state}</span></td></tr>`)}</tbody></table>`
      : html`<p class="muted">The processes are started by something else than <code>vision-events up</code>; Prometheus and Grafana watch them (docs/metrics.md).</p>`}
  </section>`;
}

/** @param {Props} props */
export function TopicsTable({ state }) {
  const lag = Object.entries(state.lag).flatMap(([group, topics]) => Object.entries(topics).map(([topic, records]) => ({ group, topic, records })));
  const of = (/** @type {string} */ topic) => lag.filter((each) => each.topic === topic);
  return html`<section class="card chart-card wide" aria-label="Topics"><h2>Topics</h2>
    <div class="table-scroll topics" tabindex="0" role="region" aria-label="Topics and their records"><table>
      <thead><tr><th scope="col">Topic</th><th scope="col" class="number">Partitions</th><th scope="col" class="number">Records ever</th><th scope="col">Waiting for</th></tr></thead>
      <tbody>${Object.values(state.topics).map((topic) => html`<tr key=${topic.topic}><th scope="row"><code>${topic.topic}</code></th>
        <td class="number">${topic.partitions}</td><td class="number">${count(topic.produced)}</td>
        <td>${of(topic.topic).map(({ group, records }) => html`<span key=${group} class=${`badge ${records ? "warn" : ""}`}>${group}: ${count(records)}</span> `)}</td></tr>`)}</tbody>
    </table></div></section>`;
}
