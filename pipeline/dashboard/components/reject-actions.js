// Replay and discard, of one reject, of several or of all of a reason; and what became of a replay.
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { count, counted } from "../lib/numbers.js";
import { preferences } from "../lib/preferences.js";
import { reasonLabel } from "../lib/reject-reasons.js";
import { useSession } from "../lib/session.js";
import { useEffect, useState } from "../vendor/preact-hooks.js";
import { AskText } from "./ask-text.js";
import { Confirm } from "./confirm.js";
import { Icon } from "./icon.js";
import { tell } from "./toasts.js";

/** @typedef {import("../lib/api.js").RejectChoice} RejectChoice */

const ASK_EVERY_MS = 700;
const ASK_FOR_MS = 120_000;

/**
 * @param {{ state: string, choice: (RejectChoice & { state?: string }) | null, number: number, most: number, done: () => void, clear?: () => void }} props
 *   `choice`: null where nothing is chosen yet; `number`: how many that are; `most`: how many one replay takes
 */
export function RejectActions({ state, choice, number, most, done, clear }) {
  const { canWrite, keyName } = useSession();
  const [asking, setAsking] = useState("");
  const [run, setRun] = useState(/** @type {{ replay: string, replayed: number } | null} */ (null));
  const close = () => setAsking("");
  if (!canWrite || (state === "replayed" && !run)) return null;
  const what = counted(number, "reject");
  const wanted = () => {
    const { state: _, ...kept } = /** @type {RejectChoice & { state?: string }} */ (choice);
    return { ...kept, by: preferences().reviewer || keyName };
  };
  const replay = async () => {
    const begun = await api.replayRejects(wanted());
    setRun(begun);
    if (number > most) tell(`${count(begun.replayed)} were sent again; replay once more for the others`);
  };
  const discard = async (/** @type {string} */ note) => {
    const { discarded } = await api.discardRejects({ ...wanted(), note });
    tell(`Discarded ${counted(discarded, "reject")}`);
    done();
  };
  return html`<div class="reject-actions">
    ${choice ? html`
      ${clear && html`<span class="badge accent">${what} chosen</span>`}
      <button class="button primary small" onClick=${() => setAsking("replay")}><${Icon} name="refresh" size=${15} /> Replay ${number === 1 ? "it" : count(number)}</button>
      ${state === "open" && html`<button class="button small" onClick=${() => setAsking("discard")}><${Icon} name="trash" size=${15} /> Discard ${number === 1 ? "it" : count(number)}</button>`}
      ${clear && html`<button class="button plain small" onClick=${clear}>Choose none</button>`}`
    : html`<span class="hint">${state === "open" ? "Choose a reason, or some of the list, to replay or discard them." : "Choose some of the list to replay them."}</span>`}
    ${run && html`<${Outcome} key=${run.replay} run=${run} done=${done} />`}
    ${asking === "replay" && html`<${Confirm} title=${`Replay ${what}?`} action="Replay" run=${replay} close=${close}
      text="They are sent through the pipeline again as they came. Do it after the cause is mended; replaying one twice makes no second event." />`}
    ${asking === "discard" && html`<${AskText} title=${`Discard ${what}?`} label="Why are they not wanted?" action="Discard" run=${discard} close=${close}
      hint="They leave the list of open ones, stay readable with this note, and can still be replayed." />`}
  </div>`;
}

/** What became of a replay, asked until no record waits any more. @param {{ run: { replay: string, replayed: number }, done: () => void }} props */
function Outcome({ run, done }) {
  const [outcome, setOutcome] = useState(/** @type {Awaited<ReturnType<typeof api.replayOutcome>> | null} */ (null));
  const [error, setError] = useState("");
  useEffect(() => {
    const abort = new AbortController();
    const end = Date.now() + ASK_FOR_MS;
    const ask = async () => {
      try {
        const found = await api.replayOutcome(run.replay, abort.signal);
        setOutcome(found);
        if (!found.waiting && run.replayed) {
          tell(`Replayed ${count(run.replayed)}: ${count(found.stored)} stored`);
          return done();
        }
        if (Date.now() < end && run.replayed) setTimeout(ask, ASK_EVERY_MS);
      } catch (problem) {
        if (!abort.signal.aborted) setError(/** @type {Error} */ (problem).message);
      }
    };
    ask();
    return () => abort.abort();
  }, []);
  if (error) return html`<span class="field-error" role="alert">${error}</span>`;
  if (!run.replayed) return html`<span role="status">Nothing to replay: somebody was faster.</span>`;
  const again = Object.entries(outcome?.rejected ?? {});
  return html`<span class="outcome" role="status">
    <strong>Replayed ${count(run.replayed)}:</strong>
    <span class="badge good">${count(outcome?.stored ?? 0)} stored</span>
    ${again.map(([reason, number]) => html`<span key=${reason} class="badge bad">${count(number)} rejected again: ${reasonLabel(reason)}</span>`)}
    ${(!outcome || outcome.waiting > 0) && html`<span class="badge warn">${count(outcome?.waiting ?? run.replayed)} under way</span>`}
  </span>`;
}
