// The picture of an event in a list; the whole of it where there is no small one.
import { plainPicture, smallPicture } from "../lib/annotations.js";
import { html } from "../lib/html.js";

/** @param {{ image: import("../lib/api.js").EventImage | undefined, width?: number, height?: number }} props */
export function SmallPicture({ image, width, height }) {
  const whole = plainPicture(image);
  const failed = (/** @type {{ currentTarget: HTMLImageElement }} */ { currentTarget }) => {
    if (whole && !currentTarget.src.endsWith(whole)) currentTarget.src = whole;
  };
  return html`<img src=${smallPicture(image) ?? whole} alt="" loading="lazy" decoding="async" width=${width} height=${height} onError=${failed} />`;
}
