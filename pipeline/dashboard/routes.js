// The pages. To add one: write pages/NAME.js with a default export, and a line here.

/**
 * @typedef {object} Page
 * @property {string} path first part of the address below /dashboard/
 * @property {string} title
 * @property {string} icon a name of components/icon.js
 * @property {() => Promise<{ default: import("./vendor/preact.js").FunctionComponent<{ place: import("./lib/router.js").Place }> }>} load
 * @property {boolean} [hidden] not in the navigation
 * @property {boolean} [operators] offered to those only who run the system
 */

/** @type {Page[]} */
export const PAGES = [
  { path: "use-cases", title: "Use cases", icon: "grid", load: () => import("./pages/use-cases.js") },
  { path: "events", title: "Events", icon: "events", load: () => import("./pages/events.js") },
  { path: "event", title: "Event", icon: "events", load: () => import("./pages/event.js"), hidden: true },
  { path: "use-case", title: "Use case", icon: "grid", load: () => import("./pages/use-case.js"), hidden: true },
  { path: "analysis", title: "Analysis", icon: "chart", load: () => import("./pages/analysis.js") },
  { path: "alerts", title: "Alerts", icon: "bell", load: () => import("./pages/alerts.js") },
  { path: "rejects", title: "Rejects", icon: "reject", load: () => import("./pages/rejects.js") },
  { path: "devices", title: "Devices", icon: "camera", load: () => import("./pages/devices.js") },
  { path: "pipeline", title: "Pipeline", icon: "flow", load: () => import("./pages/pipeline.js"), operators: true },
];

export const HOME = "use-cases";
