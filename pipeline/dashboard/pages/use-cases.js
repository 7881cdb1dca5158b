// All use cases: what each saw lately, and the way to its events.
import { AskText } from "../components/ask-text.js";
import { Confirm } from "../components/confirm.js";
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { Icon } from "../components/icon.js";
import { Loading } from "../components/loading.js";
import { Menu } from "../components/menu.js";
import { PageHeader } from "../components/page-header.js";
import { UseCaseCard } from "../components/use-case-card.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { addressOf, go } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { useRequest } from "../lib/use-request.js";
import { useState } from "../vendor/preact-hooks.js";

/** @typedef {import("../lib/api.js").UseCase} UseCase */

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function UseCases({ place }) {
  const session = useSession();
  const cases = useRequest((signal) => api.useCases(signal), []);
  const activity = useRequest((signal) => api.useCaseActivity(signal), []);
  const [asking, setAsking] = useState(/** @type {{ what: string, useCase?: UseCase } | null} */ (null));
  const archived = place.params.has("archived");
  const all = cases.data?.useCases ?? [];
  const shown = all.filter((useCase) => archived || useCase.status === "active");
  const hidden = all.length - all.filter((useCase) => useCase.status === "active").length;
  const close = () => setAsking(null);
  const create = async (/** @type {string} */ name) => {
    const { id } = await api.createUseCase(name);
    go(addressOf(["use-case", id]));
  };

  return html`
    <${PageHeader} title="Use cases" text=${cases.data && `${counted(all.length - hidden, "active use case")}`}>
      ${hidden > 0 && html`<a class="button" href=${addressOf("use-cases", { archived: !archived })}>
        <${Icon} name="archive" /> ${archived ? "Hide archived" : `Show archived (${hidden})`}
      </a>`}
      ${session.canWrite && html`<button class="button primary" onClick=${() => setAsking({ what: "create" })}><${Icon} name="plus" /> New use case</button>`}
    <//>
    ${cases.error && html`<${ErrorNote} error=${cases.error} retry=${cases.reload} />`}
    ${activity.error && html`<${ErrorNote} error=${activity.error} retry=${activity.reload} />`}
    ${!cases.data && cases.loading && html`<${Loading} />`}
    ${cases.data && !shown.length && html`<${EmptyState} icon="grid" title="No use case yet"
      text="A use case says what events of one purpose look like: parts that pass or fail, trays that are counted, people without a helmet.">
      ${session.canWrite && html`<button class="button primary" onClick=${() => setAsking({ what: "create" })}>Make the first one</button>`}
    <//>`}
    <div class="cards">
      ${shown.map(
        (useCase) => html`<${UseCaseCard} key=${useCase.id} useCase=${useCase} days=${activity.data?.lookbackDays}
          activity=${activity.data && (activity.data.activity[useCase.id] ?? null)}>
          <${Menu} label=${html`<${Icon} name="more" />`} title=${`More about ${useCase.name}`} class="button plain icon-only">
            <a href=${addressOf(["use-case", useCase.id])}><${Icon} name="document" /> Document</a>
            ${session.canWrite && html`
              <button onClick=${() => setAsking({ what: "rename", useCase })}><${Icon} name="pencil" /> Rename</button>
              <button onClick=${() => setAsking({ what: "status", useCase })}>
                <${Icon} name="archive" /> ${useCase.status === "active" ? "Archive" : "Take events again"}
              </button>`}
          <//>
        <//>`,
      )}
    </div>
    ${asking?.what === "create" && html`<${AskText} title="New use case" label="Name" action="Create" run=${create} close=${close}
      hint="It takes any metadata at first; its document says more, and can be changed at any time." />`}
    ${asking?.what === "rename" && html`<${Rename} useCase=${asking.useCase} close=${close} done=${cases.reload} />`}
    ${asking?.what === "status" && html`<${SetStatus} useCase=${asking.useCase} close=${close} done=${cases.reload} />`}
  `;
}

/** @param {{ useCase: UseCase, close: () => void, done: () => void }} props */
function Rename({ useCase, close, done }) {
  const run = async (/** @type {string} */ name) => {
    await api.renameUseCase(useCase.id, name);
    done();
  };
  return html`<${AskText} title=${`Rename ${useCase.name}`} label="Name" value=${useCase.name} action="Rename" run=${run} close=${close} />`;
}

/** @param {{ useCase: UseCase, close: () => void, done: () => void }} props */
function SetStatus({ useCase, close, done }) {
  const active = useCase.status === "active";
  const run = async () => {
    await (active ? api.archiveUseCase : api.unarchiveUseCase)(useCase.id);
    done();
  };
  return html`<${Confirm} title=${active ? `Archive ${useCase.name}?` : `Take events of ${useCase.name} again?`}
    text=${active ? "New events are rejected and kept as rejects. What is stored stays, and can be seen." : "New events are stored again. Rejects can be replayed."}
    action=${active ? "Archive" : "Take events again"} run=${run} close=${close} />`;
}
