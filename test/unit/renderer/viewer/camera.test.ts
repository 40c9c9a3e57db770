import { expect, test } from 'vitest';
import {
  fitted,
  isExact,
  middle,
  panned,
  resized,
  showing,
  toImage,
  toScreen,
  zoomed,
} from '../../../../src-renderer/components/viewer/camera.ts';

const image = { widthPx: 4000, heightPx: 2000 };
const canvas = { widthPx: 1000, heightPx: 800, pixelRatio: 2 };
const fit = fitted(image, canvas);

test('a fitted image is whole and in the middle', () => {
  expect(fit.scale).toBeCloseTo(968 / 4000);
  const center = toScreen(fit, { x: 2000, y: 1000 });
  expect(center.x).toBeCloseTo(500);
  expect(center.y).toBeCloseTo(400);
  expect(toScreen(fit, { x: 0, y: 0 }).x).toBeCloseTo(16);
});

test('a small image is not blown up without limit', () => {
  expect(fitted({ widthPx: 10, heightPx: 10 }, canvas).scale).toBe(8);
});

test('screen and image are each the inverse of the other', () => {
  const view = zoomed(image, fit, { x: 100, y: 200 }, 3.7);
  const point = { x: 123.4, y: 567.8 };
  const back = toImage(view, toScreen(view, point));
  expect(back.x).toBeCloseTo(point.x);
  expect(back.y).toBeCloseTo(point.y);
});

test('zooming keeps the point below the pointer', () => {
  const at = { x: 300, y: 350 };
  const before = toImage(fit, at);
  const after = toImage(zoomed(image, fit, at, 2), at);
  expect(after.x).toBeCloseTo(before.x);
  expect(after.y).toBeCloseTo(before.y);
});

test('zooming ends at both sides', () => {
  expect(zoomed(image, fit, middle(fit), 1000).scale).toBe(64);
  expect(zoomed(image, fit, middle(fit), 0.00001).scale).toBeCloseTo(fit.scale / 4);
});

test('some of the image always stays in sight', () => {
  const right = panned(image, fit, { x: 1e6, y: 1e6 });
  expect(toScreen(right, { x: 0, y: 0 }).x).toBeCloseTo(1000 - 64);
  const left = panned(image, fit, { x: -1e6, y: -1e6 });
  expect(toScreen(left, { x: 4000, y: 2000 }).y).toBeCloseTo(64);
});

test('a canvas of another size shows the same middle', () => {
  const view = zoomed(image, fit, { x: 100, y: 200 }, 1);
  const small = resized(view, { widthPx: 500, heightPx: 300 }, 1);
  expect(toImage(small, middle(small))).toEqual(toImage(view, middle(view)));
  expect(small).toMatchObject({ widthPx: 500, heightPx: 300, pixelRatio: 1, scale: 1 });
});

test('a point out of sight is brought in, one in sight moves nothing', () => {
  const view = zoomed(image, fit, { x: 500, y: 400 }, 4);
  const point = { x: 3900, y: 1900 };
  const at = toScreen(showing(image, view, point), point);
  expect(at.x).toBeCloseTo(1000 - 64);
  expect(at.y).toBeCloseTo(800 - 64);
  expect(showing(image, view, toImage(view, { x: 500, y: 400 }))).toEqual(view);
});

test('pixels are squares above two device pixels', () => {
  expect(isExact({ ...fit, scale: 1 })).toBe(false);
  expect(isExact({ ...fit, scale: 1.01 })).toBe(true);
});
