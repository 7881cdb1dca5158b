// A picture with what was found on it: wheel or pinch zooms, dragging moves, a double click fits.
import { html } from "../lib/html.js";
import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { Icon } from "./icon.js";
import { Overlay } from "./overlay.js";

const MOST = 20;

/** @typedef {{ zoom: number, x: number, y: number }} View `x` and `y`: where the picture's corner lies, in pixels of the screen */

/**
 * @param {{ picture: string | undefined, size: { width: number, height: number } | null, annotations: import("../lib/annotations.js").Annotation[],
 *   chosen: string, choose: (key: string) => void, alt: string }} props
 */
export function ImageViewer({ picture, size, annotations, chosen, choose, alt }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [box, setBox] = useState({ width: 0, height: 0 });
  const [view, setView] = useState(/** @type {View} */ ({ zoom: 1, x: 0, y: 0 }));
  const [natural, setNatural] = useState(/** @type {{ width: number, height: number } | null} */ (null));
  const pointers = useRef(/** @type {Map<number, { x: number, y: number }>} */ (new Map()));
  const real = size ?? natural ?? { width: 4, height: 3 };
  const fit = Math.min(box.width / real.width, box.height / real.height) || 0;
  const scale = fit * view.zoom;
  const left = (box.width - real.width * scale) / 2 + view.x;
  const top = (box.height - real.height * scale) / 2 + view.y;

  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setBox({ width: entry.contentRect.width, height: entry.contentRect.height }));
    if (frame.current) watcher.observe(frame.current);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => setView({ zoom: 1, x: 0, y: 0 }), [picture]);

  /** Zoom so that what lies at a place of the frame stays there. @param {number} factor @param {number} [atX] @param {number} [atY] */
  const zoomBy = (factor, atX = box.width / 2, atY = box.height / 2) =>
    setView((before) => {
      const zoom = Math.min(Math.max(before.zoom * factor, 1), MOST);
      const ratio = zoom / before.zoom;
      const [x, y] = [atX - box.width / 2, atY - box.height / 2];
      return zoom === 1 ? { zoom, x: 0, y: 0 } : { zoom, x: x - (x - before.x) * ratio, y: y - (y - before.y) * ratio };
    });
  useEffect(() => {
    const element = frame.current;
    const wheel = (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      const corner = /** @type {HTMLElement} */ (element).getBoundingClientRect();
      zoomBy(Math.exp(-event.deltaY * 0.0016), event.clientX - corner.left, event.clientY - corner.top);
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  }, [box]);
  const down = (/** @type {PointerEvent} */ event) => {
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (!(event.target instanceof SVGElement)) frame.current?.setPointerCapture(event.pointerId);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (other) {
      const distance = (/** @type {{ x: number, y: number }} */ point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      zoomBy(distance({ x: event.clientX, y: event.clientY }) / distance(before));
    } else setView((current) => (current.zoom === 1 ? current : { ...current, x: current.x + dx, y: current.y + dy }));
  };
  const up = (/** @type {PointerEvent} */ event) => pointers.current.delete(event.pointerId);

  return html`<div class=${`viewer-frame${view.zoom > 1 ? " zoomed" : ""}`} ref=${frame} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up}
    onDblClick=${() => setView({ zoom: 1, x: 0, y: 0 })}>
    ${picture || size
      ? html`<div class="viewer-stage" style=${{ left: `${left}px`, top: `${top}px`, width: `${real.width * scale}px`, height: `${real.height * scale}px` }}>
          ${picture && html`<img src=${picture} alt=${alt} draggable=${false} class=${scale > 3 ? "pixels" : ""}
            onLoad=${(/** @type {{ currentTarget: HTMLImageElement }} */ event) => setNatural({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })} />`}
          ${scale > 0 && html`<${Overlay} size=${real} annotations=${annotations} labels scale=${scale} chosen=${chosen} choose=${choose} />`}
        </div>`
      : html`<span class="no-picture"><${Icon} name="image" size=${34} />no picture was kept</span>`}
    <div class="viewer-buttons">
      <button class="button icon-only" aria-label="Zoom out" disabled=${view.zoom === 1} onClick=${() => zoomBy(1 / 1.5)}><${Icon} name="minus" size=${16} /></button>
      <button class="button" onClick=${() => setView({ zoom: 1, x: 0, y: 0 })} title="Fit the picture">${Math.round(scale * 100)} %</button>
      <button class="button icon-only" aria-label="Zoom in" disabled=${view.zoom >= MOST} onClick=${() => zoomBy(1.5)}><${Icon} name="plus" size=${16} /></button>
    </div>
  </div>`;
}
