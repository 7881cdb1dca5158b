// What was found on an image, of all four kinds alike, and which picture shows it.

/** @typedef {import("./api.js").VisionEvent} VisionEvent */
/** @typedef {import("./api.js").EventImage} EventImage */
/** @typedef {"objectDetections" | "instanceSegmentations" | "keypoints" | "classifications"} Kind */
/** @typedef {import("./api.js").Found & { kind: Kind, key: string }} Annotation */

/** @type {Record<Kind, string>} */
export const KINDS = { objectDetections: "Boxes", instanceSegmentations: "Outlines", keypoints: "Keypoints", classifications: "Labels" };

/** The image of an event that is shown first. @param {VisionEvent} event @returns {EventImage | undefined} */
export const shownImage = (event) => event.images?.[event.displayImagePosition ?? 0] ?? event.images?.[0];

/** @param {EventImage | undefined} image @returns {Annotation[]} */
export function annotationsOf(image) {
  if (!image) return [];
  return /** @type {Kind[]} */ (Object.keys(KINDS)).flatMap((kind) => (image[kind] ?? []).map((found, index) => ({ ...found, kind, key: `${kind}-${index}` })));
}

/**
 * The picture to draw on: the original, since the output may have boxes in it already.
 * @param {EventImage | undefined} image @returns {string | undefined}
 */
export const plainPicture = (image) => local(image?.inputUrl ?? image?.url);

/** The same, small, for lists; made by the server. @param {EventImage | undefined} image @returns {string | undefined} */
export function smallPicture(image) {
  const id = image?.inputUrl ? image.inputSourceId : image?.url ? image.sourceId : undefined;
  return id && `/dashboard/api/thumbnails/${id}`;
}

/** Links may name the public address; the page asks its own server. @param {string | undefined} url */
export function local(url) {
  if (!url) return undefined;
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

/** The size that coordinates refer to. @param {VisionEvent} event @param {EventImage | undefined} image */
export function frameSize(event, image) {
  const width = image?.inputWidth ?? image?.width ?? event.frameSize?.width;
  const height = image?.inputHeight ?? image?.height ?? event.frameSize?.height;
  return width && height ? { width, height } : null;
}

/** @param {Annotation[]} annotations @returns {[name: string, count: number][]} the most frequent first */
export function classCounts(annotations) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { class: name } of annotations) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

const COLOURS = ["#ff4d4f", "#ffb020", "#36cfc9", "#73d13d", "#4096ff", "#f759ab", "#b37feb", "#fadb14", "#ff7a45", "#85a5ff", "#5cdbd3", "#d3f261", "#ffadd2"];

/** The colour of a class, the same everywhere. @param {string} name */
export function colourOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return COLOURS[hash % COLOURS.length];
}

/** Joints of a person as COCO names and numbers them. */
const JOINTS = ["nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"];
const BONES = [[15, 13], [13, 11], [16, 14], [14, 12], [11, 12], [5, 11], [6, 12], [5, 6], [5, 7], [6, 8], [7, 9], [8, 10], [1, 2], [0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6]];

/**
 * Lines between keypoints: a person's skeleton where the points are named or numbered as in COCO, else from each point
 * to its nearest neighbour before it, which shows what belongs together.
 * @param {NonNullable<Annotation["keypoints"]>} points
 */
export function bones(points) {
  const place = (/** @type {string} */ id) => (/^\d+$/.test(id) ? Number(id) : JOINTS.indexOf(id.toLowerCase().replaceAll(/[ -]/g, "_")));
  const byJoint = new Map(points.map((point) => [place(point.id), point]));
  if (points.length > 1 && !byJoint.has(-1) && [...byJoint.keys()].every((joint) => joint < JOINTS.length))
    return BONES.flatMap(([from, to]) => {
      const [a, b] = [byJoint.get(from), byJoint.get(to)];
      return a && b ? [[a, b]] : [];
    });
  return points.slice(1).map((point, index) => {
    const distance = (/** @type {{ x: number, y: number }} */ other) => Math.hypot(other.x - point.x, other.y - point.y);
    return [point, points.slice(0, index + 1).reduce((best, other) => (distance(other) < distance(best) ? other : best))];
  });
}
