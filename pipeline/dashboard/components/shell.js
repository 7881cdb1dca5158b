// What is around every page: navigation, the viewer's settings, and the page itself, loaded when it is first opened.
import { html } from "../lib/html.js";
import { addressOf, go } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { HOME, PAGES } from "../routes.js";
import { useEffect, useState } from "../vendor/preact-hooks.js";
import { EmptyState } from "./empty-state.js";
import { ErrorNote } from "./error-note.js";
import { Icon } from "./icon.js";
import { Loading } from "./loading.js";
import { ViewerMenu } from "./viewer-menu.js";

/** @typedef {import("../lib/router.js").Place} Place */

/** @param {{ place: Place, leave: () => void }} props */
export function Shell({ place, leave }) {
  const session = useSession();
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [place.page]);
  useEffect(() => {
    if (!place.page) go(addressOf(HOME), { replace: true });
  }, [place.page]);
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>Skip to the page</a>
    <aside class=${open ? "side open" : "side"}>
      <div class="brand">
        <a href=${addressOf(HOME)}><img src="/dashboard/icon.svg" alt="" width="26" height="26" /> Vision Events</a>
        <button class="button plain icon-only narrow-only" aria-label="Navigation" aria-expanded=${open} onClick=${() => setOpen(!open)}>
          <${Icon} name="menu" />
        </button>
      </div>
      <nav aria-label="Pages">
        ${PAGES.filter((page) => !page.hidden && (!page.operators || session.isOperator)).map(
          (page) => html`<a key=${page.path} href=${addressOf(page.path)} aria-current=${page.path === place.page || (place.page === "event" && page.path === "events") || (place.page === "use-case" && page.path === "use-cases") ? "page" : undefined}>
            <${Icon} name=${page.icon} /> ${page.title}
          </a>`,
        )}
      </nav>
      <${ViewerMenu} leave=${leave} />
    </aside>
    <main id="main" tabindex="-1"><${Outlet} place=${place} /></main>
  </div>`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** The page of the address. @param {{ place: Place }} props */
function Outlet({ place }) {
  const page = PAGES.find(({ path }) => path === place.page);
  const [loaded, setLoaded] = useState(/** @type {{ path?: string, Page?: any, error?: Error }} */ ({}));
  useEffect(() => {
    page?.load().then(
      (module) => setLoaded({ path: page.path, Page: module.default }),
      (error) => setLoaded({ path: page.path, error }),
    );
  }, [page]);
  if (!page) {
    if (!place.page) return null;
    return html`<${EmptyState} icon="search" title="There is no such page" text=${location.pathname}>
      <a class="button" href=${addressOf(HOME)}>Go to the use cases</a>
    <//>`;
  }
  if (loaded.path !== page.path) return html`<${Loading} />`;
  if (loaded.error) return html`<${ErrorNote} error=${loaded.error} retry=${() => location.reload()} />`;
  return html`<${loaded.Page} place=${place} />`;
}
