import { expect, it } from 'vitest';
import { gridOf, notLabelled, tileSide } from '../../../../src-renderer/screens/label/grid.ts';
import { tileForMain, tilesFromMain } from '../../../../src-renderer/screens/label/label-tiles.ts';

const grid = gridOf(600, 300); // 3 x 2 tiles; the last ones are 88 px wide and 44 px high

it.each([0, 2, 4, 5])('sends and takes tile %i', (tile) => {
  const pixels = new Uint8Array(tileSide * tileSide).fill(notLabelled);
  const [width, height] = [tile % 3 === 2 ? 88 : 256, tile >= 3 ? 44 : 256];
  for (let i = 0; i < 4000; i++) {
    const [x, y] = [(i * 7) % width, (i * 13) % height];
    pixels[y * tileSide + x] = i % 5;
  }
  const sent = tileForMain(grid, tile, pixels);
  expect([sent.x, sent.y]).toEqual([tile % 3, Math.floor(tile / 3)]);
  expect(tilesFromMain(grid, [sent]).get(tile)).toEqual(pixels);
});
