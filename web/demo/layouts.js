// The layouts that the demo page offers, as a room's record has them: a family by number of
// pictures, and layouts of one's own.

import { fraction } from "/shared/page.js";

const MOST_CIRCLES = 8;
// Circles in a row at the foot of the picture: up to six wide ones, else narrow ones.
const ROWS = [
  { most: 5, slots: 6, radius: "1/14", height: "5/6" },
  { most: MOST_CIRCLES, slots: 9, radius: "1/20", height: "7/8" },
];

export const LAYOUTS = {
  grid: { base: "fluid", custom: [] },
  lecture: { base: "lecture", custom: [] },
  circles: { base: "void", custom: Array.from({ length: MOST_CIRCLES + 1 }, (_, at) => circles(at)) },
};

/** The name of the layout that a view's regions are of; null where one region tells nothing. */
export function nameOf(layout) {
  const regions = layout.map(({ region }) => region);
  if (regions.some(({ shape }) => shape === "circle")) return "circles";
  if (regions.length < 2) return null;
  const sizes = new Set(regions.map(({ area }) => fraction(area.width)));
  return sizes.size === 1 ? "grid" : "lecture";
}

/** One picture over the whole, and so many in circles before it: later regions cover earlier ones. */
function circles(count) {
  const whole = { left: "0", top: "0", width: "1", height: "1" };
  const { slots, radius, height } = ROWS.find(({ most }) => count <= most);
  const round = Array.from({ length: count }, (_, at) => ({
    id: String(at + 2),
    shape: "circle",
    area: { centerW: `${slots - count + 1 + 2 * at}/${2 * slots}`, centerH: height, radius },
  }));
  return { region: [{ id: "1", shape: "rectangle", area: whole }, ...round] };
}
