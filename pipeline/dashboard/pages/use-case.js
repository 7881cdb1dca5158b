// The document of one use case, checked while it is written.
import { DocumentEditor } from "../components/document-editor.js";
import { ErrorNote } from "../components/error-note.js";
import { Icon } from "../components/icon.js";
import { Loading } from "../components/loading.js";
import { PageHeader } from "../components/page-header.js";
import { tell } from "../components/toasts.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { addressOf } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { useRequest } from "../lib/use-request.js";
import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";

const CHECK_AFTER_MS = 400;

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function UseCase({ place }) {
  const [id = ""] = place.rest;
  const { canWrite } = useSession();
  const stored = useRequest((signal) => api.useCaseDocument(id, signal), [id]);
  const [text, setText] = useState("");
  const [faults, setFaults] = useState(/** @type {import("../lib/api.js").Fault[]} */ ([]));
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const changed = stored.data !== undefined && text !== stored.data.text;

  // What is written while a document is on its way stays.
  const untouched = useRef("");
  useEffect(() => {
    untouched.current = text;
  }, [id]);
  useEffect(() => {
    if (!stored.data) return;
    const [before, fresh] = [untouched.current, stored.data.text];
    setText((now) => (now === before ? fresh : now));
    untouched.current = fresh;
  }, [stored.data]);

  useEffect(() => {
    if (!changed || !canWrite) return setFaults([]);
    let current = true;
    const timer = setTimeout(() => {
      api.changeUseCaseDocument(id, text, true).then(
        (answer) => current && (setFaults(answer.faults), setError(null)),
        (problem) => current && setError(problem),
      );
    }, CHECK_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, changed]);

  const save = async () => {
    try {
      const answer = await api.changeUseCaseDocument(id, text, false);
      setFaults(answer.faults);
      setError(null);
      if (answer.stored) {
        untouched.current = text;
        tell("Stored. Workers follow within seconds.");
        stored.reload();
      }
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
    }
  };

  return html`
    <${PageHeader} title=${id} text="What its events look like, what is filled in, what passes, and when somebody is told.">
      <a class="button" href=${addressOf("events", { useCase: id })}><${Icon} name="events" /> Events</a>
      ${canWrite && html`
        <button class="button" disabled=${!changed} onClick=${() => stored.data && setText(stored.data.text)}>Undo changes</button>
        <button class="button primary" disabled=${!changed || faults.length > 0} onClick=${save}>Save</button>`}
    <//>
    ${stored.error && html`<${ErrorNote} error=${stored.error} retry=${stored.reload} />`}
    ${error && html`<${ErrorNote} error=${error} />`}
    ${!stored.data && stored.loading && html`<${Loading} />`}
    ${stored.data && html`<${DocumentEditor} text=${text} faults=${faults} readOnly=${!canWrite} change=${setText} save=${save} />`}
    ${changed && html`<p class=${faults.length ? "field-error" : "muted"} role="status">
      ${faults.length ? `${counted(faults.length, "fault")}; it can be saved without any.` : "Changed, and valid."}
    </p>`}
  `;
}
