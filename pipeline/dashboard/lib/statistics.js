// What can be said of two shares: whether their difference is more than chance explains.

/**
 * The probability of a difference at least this large if both came from the same process (two-sided z-test).
 * Null where there are too few to say.
 * @param {number} hitsA @param {number} ofA @param {number} hitsB @param {number} ofB
 */
export function chanceOf(hitsA, ofA, hitsB, ofB) {
  if (!ofA || !ofB) return null;
  const pooled = (hitsA + hitsB) / (ofA + ofB);
  if (Math.min(ofA, ofB) * Math.min(pooled, 1 - pooled) < 5) return null;
  const z = Math.abs(hitsA / ofA - hitsB / ofB) / Math.sqrt(pooled * (1 - pooled) * (1 / ofA + 1 / ofB));
  return complementaryError(z / Math.SQRT2);
}

/** erfc of x >= 0 to seven digits (Abramowitz and Stegun 7.1.26). @param {number} x */
function complementaryError(x) {
  const t = 1 / (1 + 0.3275911 * x);
  const factors = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  return factors.reduce((sum, factor) => (sum + factor) * t, 0) * Math.exp(-x * x);
}
