// One set of line icons, 24 by 24.
import { html } from "../lib/html.js";

/** @type {Record<string, string>} */
const PATHS = {
  alert: "M12 3 2.500 20h19L12 3ZM12 10v4.500M12 17.300v.2",
  archive: "M4 8v11h16V8M3 4h18v4H3zM10 12h4",
  bell: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 2H4.500zM10 21h4",
  camera: "M4 7.500h3.500L9 5h6l1.500 2.500H20V19H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Z",
  chart: "M4 4v16h16M8 16v-4M12 16V8M16 16v-6",
  check: "m4.500 12.500 5 5 10-11",
  chevron: "m9 5 7 7-7 7",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.500 2",
  close: "M5 5l14 14M19 5 5 19",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  document: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  events: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  filter: "M3 5h18l-7 8.500V20l-4-2v-4.500z",
  flow: "M4 6h6v5H4zM14 13h6v5h-6zM7 11v4.500h7",
  grid: "M4 5h16M4 12h16M4 19h16",
  help: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.300v.2M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19Z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 4M15 9.500a.5.5 0 1 0 0-.01Z",
  inbox: "M4 13 6.500 5h11L20 13v6H4zM4 13h5l1 2.500h4l1-2.500h5",
  leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  left: "m15 5-7 7 7 7",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  menu: "M4 6h16M4 12h16M4 18h16",
  minus: "M5 12h14",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  pause: "M8 5v14M16 5v14",
  pencil: "M4 20l1-4L16 5l3 3L8 19z",
  play: "M7 4.500v15l12-7.500z",
  plus: "M12 5v14M5 12h14",
  refresh: "M20 11a8 8 0 1 0-.6 4M20 4v7h-7",
  reject: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM5.700 5.700l12.600 12.600",
  right: "m9 5 7 7-7 7",
  save: "M6 4h12v16l-6-4-6 4z",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.500 15.500 21 21",
  sun: "M12 16.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9ZM12 2v2.500M12 19.500V22M2 12h2.500M19.500 12H22M5 5l1.700 1.700M17.300 17.300 19 19M5 19l1.700-1.700M17.300 6.700 19 5",
  table: "M4 5h16v14H4zM4 10h16M4 14.500h16M10 10v9",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500",
};

/** @param {{ name: string, size?: number }} props */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none" aria-hidden="true"
    stroke="currentColor" stroke-width="1.800" stroke-linecap="round" stroke-linejoin="round">
    <path d=${PATHS[name] ?? PATHS.help} />
  </svg>`;
}
