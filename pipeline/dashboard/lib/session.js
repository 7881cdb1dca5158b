// Who is logged in, for any component: const session = useSession().
import { createContext } from "../vendor/preact.js";
import { useContext } from "../vendor/preact-hooks.js";

/** @typedef {import("./api.js").Session} Session */

/** @type {import("../vendor/preact.js").Context<Session | null>} */
export const SessionContext = createContext(/** @type {Session | null} */ (null));

/** The session; there is one wherever a page is shown. @returns {Session} */
export function useSession() {
  const session = useContext(SessionContext);
  if (!session) throw new Error("no session");
  return session;
}
