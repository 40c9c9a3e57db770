/**
 * Predicts one very large JPEG with a freshly initialized ResNet-18 + FPN and prints time and peak
 * memory: `node test/bench/predict-huge.ts [side in px, default 20000] [small]`; `small` takes a
 * network an eighth as wide, for memory alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { loadModelFile, writeModelFile } from '../../src-main/inference/model-file.ts';
import { predictFolder } from '../../src-main/inference/predict.ts';
import { Random } from '../../src-main/lib/random.ts';
import type { SegmentationConfig } from '../../src-main/nn/config.ts';
import { segmentationParams } from '../../src-main/nn/segmentation.ts';

const [, , sideText = '20000', form = ''] = process.argv;
const side = Number(sideText);
if (form.endsWith('.jpg')) {
  await writePicture(form);
  process.exit();
}
const folder = mkdtempSync(join(tmpdir(), 'decon-huge-'));
const isSmall = form === 'small';
const network: SegmentationConfig = {
  encoder: isSmall ? { block: 'basic', depths: [1, 1, 1, 1], width: 8 } : 'resnet18',
  decoder: 'fpn',
  decoderChannels: isSmall ? 16 : 128,
  fcnForm: 'cityscapes',
  classes: 2,
};

try {
  const picture = join(folder, 'huge.jpg');
  // Drawing the picture takes more memory than predicting it; only the prediction is measured.
  execFileSync(process.execPath, [import.meta.filename, sideText, picture]);
  const path = join(folder, 'model.onnx');
  await writeModelFile(path, segmentationParams(network, new Random(1)), {
    name: 'bench',
    classes: [
      { index: 0, name: 'background', color: '#000000' },
      { index: 1, name: 'object', color: '#e69f00' },
    ],
    tileSizePx: 256,
    scale: 1,
    network,
    provenance: { appVersion: '0', createdAt: '2026-01-01T00:00:00.000Z' },
    license: '',
  });
  const model = await loadModelFile(path);
  let shown = 0;
  const summary = await predictFolder(
    model,
    { inputs: [picture], outDir: join(folder, 'out') },
    {
      signal: new AbortController().signal,
      requested: () => 'none',
      notice: (message) => console.log(message),
      report: ({ done, total }) => {
        if (done < shown) return;
        shown = done + total / 10;
        console.log(`${done} of ${total} tiles, ${peakMegabytes()} MB at most`);
      },
    },
  );
  await model.dispose();
  const { mask = '' } = summary.predicted[0] ?? {};
  console.log(
    `${side} x ${side} px in ${summary.seconds.toFixed(0)} s, peak memory ${peakMegabytes()} MB, ` +
      `mask ${(statSync(join(folder, 'out', mask)).size / 1e6).toFixed(1)} MB`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1000);
}

/** Noise of cell-like contrast, repeated over the plane; written without ever being in memory. */
async function writePicture(path: string): Promise<void> {
  const noise = { type: 'gaussian', mean: 120, sigma: 40 } as const;
  const patch = { width: 500, height: 500, channels: 3, background: '#456', noise } as const;
  const input = await sharp({ create: patch }).png().toBuffer();
  const plane = { width: side, height: side, channels: 3, background: '#000' } as const;
  await sharp({ create: plane, limitInputPixels: false })
    .composite([{ input, tile: true }])
    .jpeg({ quality: 80 })
    .toFile(path);
}
