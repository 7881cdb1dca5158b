// Numbers for people.

/** `12,345`. @param {number} value */
export const count = (value) => value.toLocaleString("en-US");

/** `1 event`, `2 events`. @param {number} value @param {string} noun @param {string} [plural] */
export const counted = (value, noun, plural = `${noun}s`) => `${count(value)} ${value === 1 ? noun : plural}`;

/** `12.3 %`. @param {number} share within 0..1 */
export const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** `0.87`. @param {number | null | undefined} value */
export const confidence = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
