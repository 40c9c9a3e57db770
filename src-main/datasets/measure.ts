import {
  isSeparateChannels,
  uprightSize,
  type HeaderFacts,
  type ImageFacts,
} from './image-facts.ts';
import { Histogram, type IntensityRange } from './intensity.ts';
import { readSampleRows, readThumbnail, sampleLayout, type PixelInput } from './pixels.ts';

const thumbnailPx = 512;
const sampledPixels = 16384;
const bandSamples = 8e6;

/** What only the pixels of a picture tell. Reads all of them, so that damage anywhere is found. */
export async function measurePixels(
  input: PixelInput,
  header: HeaderFacts,
): Promise<Pick<ImageFacts, 'ranges' | 'intensity' | 'isTransparent'>> {
  if (header.reading !== 'color8') {
    return { isTransparent: header.hasAlpha, ...(await measureSamples(input, header)) };
  }
  const { data, channels } = await readThumbnail(input, thumbnailPx);
  const isTransparent = channels === 4 && hasHoles(data);
  return { isTransparent, ranges: [], intensity: levelsOf(data, channels) };
}

/** Ranges and levels of a deep or many-channel picture, from all of its samples. */
async function measureSamples(
  input: PixelInput,
  header: HeaderFacts,
): Promise<Pick<ImageFacts, 'ranges' | 'intensity'>> {
  const { stride, used } = sampleLayout(header);
  const histograms = (await binLimits(input, header)).map(
    ({ low, high }) => new Histogram(low, high),
  );
  await forEachBand(input, header, (samples) => {
    used.forEach((offset, i) => {
      histograms[isSeparateChannels(header) ? i : 0]?.add(samples, offset, stride);
    });
  });
  const isDeep = header.bitDepth > 8;
  const ranges = histograms.map((histogram) =>
    isDeep ? histogram.range() : { low: 0, high: 255 },
  );
  const levels = histograms.map((histogram, i) => histogram.levels(ranges[i] ?? wholeByte));
  return {
    ranges: isDeep ? ranges : [],
    intensity: {
      low: Math.min(...levels.map((level) => level.low)),
      mean: levels.reduce((sum, level) => sum + level.mean, 0) / levels.length,
      high: Math.max(...levels.map((level) => level.high)),
    },
  };
}

/** The least and greatest value to count between, one for each histogram. */
async function binLimits(input: PixelInput, header: HeaderFacts): Promise<IntensityRange[]> {
  if (header.reading !== 'float') {
    const count = isSeparateChannels(header) ? sampleLayout(header).used.length : 1;
    return Array.from({ length: count }, () => ({ low: 0, high: 65535 }));
  }
  let low = Infinity;
  let high = -Infinity;
  await forEachBand(input, header, (samples) => {
    for (const value of samples) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  });
  return [low <= high ? { low, high } : { low: 0, high: 1 }];
}

async function forEachBand(
  input: PixelInput,
  header: HeaderFacts,
  visit: (samples: ArrayLike<number> & Iterable<number>) => void,
): Promise<void> {
  const size = uprightSize(header);
  const { stride } = sampleLayout(header);
  const rowsPerBand = Math.max(1, Math.floor(bandSamples / (size.widthPx * stride)));
  for (let topPx = 0; topPx < size.heightPx; topPx += rowsPerBand) {
    const rows = Math.min(rowsPerBand, size.heightPx - topPx);
    visit(await readSampleRows(input, header, { ...size, topPx, rows }));
  }
}

/** Levels of an RGB or RGBA picture from some of its pixels, leaving the opacity out. */
function levelsOf(data: Uint8Array, channels: number): ImageFacts['intensity'] {
  const pixels = data.length / channels;
  const step = Math.ceil(pixels / sampledPixels);
  const counts = new Uint32Array(256); // counting is four times as fast as comparing every level
  const count = (level = 0) => (counts[level] = (counts[level] ?? 0) + 1);
  for (let i = 0; i < data.length; i += step * channels) {
    count(data[i]);
    count(data[i + 1]);
    count(data[i + 2]);
  }
  let sum = 0;
  counts.forEach((times, level) => (sum += times * level));
  return {
    low: counts.findIndex((times) => times > 0),
    mean: sum / (Math.ceil(pixels / step) * 3),
    high: counts.findLastIndex((times) => times > 0),
  };
}

function hasHoles(rgba: Uint8Array): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return true;
  return false;
}

const wholeByte: IntensityRange = { low: 0, high: 255 };
