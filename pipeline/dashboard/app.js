// The frame around all pages: log in first, then navigation and the page of the address.
import { Loading } from "./components/loading.js";
import { Shell } from "./components/shell.js";
import { Toasts } from "./components/toasts.js";
import { api, sessionEnded } from "./lib/api.js";
import { html } from "./lib/html.js";
import { catchLinks, go, usePlace } from "./lib/router.js";
import { SessionContext } from "./lib/session.js";
import { LogIn } from "./pages/log-in.js";
import { useEffect, useState } from "./vendor/preact-hooks.js";

const LOGIN = "#login=";

/** A log-in link holds its proof behind the #; it works once, so it leaves the address at once. */
function takeToken() {
  if (!location.hash.startsWith(LOGIN)) return null;
  const token = location.hash.slice(LOGIN.length);
  go(location.pathname + location.search, { replace: true });
  return token;
}

/** Who one is: a log-in by link, the session that the browser has, or nobody. */
async function enter() {
  const token = takeToken();
  return token ? api.logIn({ token }) : api.session();
}

export function App() {
  const place = usePlace();
  const [session, setSession] = useState(/** @type {import("./lib/api.js").Session | null | undefined} */ (undefined));
  const [problem, setProblem] = useState("");

  useEffect(() => {
    catchLinks();
    const out = () => setSession(null);
    sessionEnded.addEventListener("ended", out);
    enter().then(setSession, (error) => {
      setProblem(error.message);
      setSession(null);
    });
    return () => sessionEnded.removeEventListener("ended", out);
  }, []);

  if (session === undefined) return html`<${Loading} />`;
  if (session === null) return html`<${LogIn} problem=${problem} done=${setSession} />`;
  return html`
    <${SessionContext.Provider} value=${session}>
      <${Shell} place=${place} leave=${() => api.logOut().finally(() => setSession(null))} />
      <${Toasts} />
    <//>
  `;
}
