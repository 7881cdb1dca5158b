// What was found, drawn over a picture in its own coordinates. `scale` is how much larger than one pixel it is shown.
import { bones, colourOf } from "../lib/annotations.js";
import { html } from "../lib/html.js";

/** @typedef {import("../lib/annotations.js").Annotation} Annotation */

/** @param {{ size: { width: number, height: number }, annotations: Annotation[], labels?: boolean, scale?: number, chosen?: string, choose?: (key: string) => void }} props */
export function Overlay({ size, annotations, labels = false, scale = 1, chosen, choose }) {
  return html`<svg class="overlay" viewBox=${`0 0 ${size.width} ${size.height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
    ${annotations.map((annotation) => html`<${Shape} key=${annotation.key} annotation=${annotation} labels=${labels} scale=${scale}
      chosen=${chosen === annotation.key} choose=${choose} />`)}
    ${labels && annotations.map((annotation) => html`<${Label} key=${annotation.key} annotation=${annotation} scale=${scale} />`)}
  </svg>`;
}

/** @param {{ annotation: Annotation, labels: boolean, scale: number, chosen: boolean, choose?: (key: string) => void }} props */
function Shape({ annotation, labels, scale, chosen, choose }) {
  const { kind, x, y, width, height } = annotation;
  if (kind === "classifications" || x === undefined || y === undefined || width === undefined || height === undefined) return null;
  const left = x - width / 2;
  const top = y - height / 2;
  const colour = colourOf(annotation.class);
  const outline = kind === "instanceSegmentations" && annotation.points;
  return html`<g class=${`found ${kind}${chosen ? " chosen" : ""}`} style=${{ color: colour }} onClick=${choose && (() => choose(annotation.key))}>
    ${outline
      ? html`<polygon points=${outline.map((point) => point.join(",")).join(" ")} />`
      : html`<rect x=${left} y=${top} width=${width} height=${height} />`}
    ${kind === "keypoints" && html`<${Points} points=${annotation.keypoints ?? []} scale=${scale} labels=${labels && chosen} />`}
  </g>`;
}

/** @param {{ points: NonNullable<Annotation["keypoints"]>, scale: number, labels: boolean }} props */
function Points({ points, scale, labels }) {
  return html`${bones(points).map(([a, b]) => html`<line x1=${a.x} y1=${a.y} x2=${b.x} y2=${b.y} />`)}
    ${points.map((point) => html`<circle key=${point.id} cx=${point.x} cy=${point.y} r=${3.5 / scale}><title>${point.id}</title></circle>`)}
    ${labels && points.map((point) => html`<text key=${point.id} x=${point.x + 6 / scale} y=${point.y + 4 / scale} font-size=${11 / scale}>${point.id}</text>`)}`;
}

/** Over all shapes, so that none hides it. @param {{ annotation: Annotation, scale: number }} props */
function Label({ annotation, scale }) {
  const { x, y: middle, width, height: high } = annotation;
  if (annotation.kind === "classifications" || x === undefined || middle === undefined || width === undefined || high === undefined) return null;
  const [left, top] = [x - width / 2, middle - high / 2];
  const sure = annotation.confidence;
  const text = sure === null || sure === undefined ? annotation.class : `${annotation.class} ${sure.toFixed(2)}`;
  const height = 17 / scale;
  // Above its box, or within where the picture ends.
  const y = top - height >= 0 ? top - height : top;
  return html`<g class="label"><rect x=${left} y=${y} width=${(text.length * 6.5 + 8) / scale} height=${height} fill=${colourOf(annotation.class)} />
    <text x=${left + 4 / scale} y=${y + 12.5 / scale} font-size=${11.5 / scale}>${text}</text></g>`;
}
