// Starts the page. The parts: routes.js lists the pages, lib/ is logic without looks, components/ looks without pages.
import { App } from "./app.js";
import { html } from "./lib/html.js";
import { applyTheme } from "./lib/preferences.js";
import { render } from "./vendor/preact.js";

applyTheme();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
