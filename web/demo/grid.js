// The width that makes equally large pictures as large as the space allows.

const RATIO = 16 / 9;
const GAP_PX = 12;

/** Sets `--tile-width` on a wrapping row of so many tiles. */
export function fitGrid(grid, count) {
  const width = bestWidth(count, grid.clientWidth, grid.clientHeight);
  grid.style.setProperty("--tile-width", `${Math.floor(width)}px`);
}

function bestWidth(count, availableWidth, availableHeight) {
  let best = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const byWidth = (availableWidth - GAP_PX * (columns - 1)) / columns;
    const byHeight = ((availableHeight - GAP_PX * (rows - 1)) / rows) * RATIO;
    best = Math.max(best, Math.min(byWidth, byHeight));
  }
  return best;
}
