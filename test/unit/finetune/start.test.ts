import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWeights } from '../../../src-main/finetune/start.ts';
import type { HostTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import type { SegmentationConfig } from '../../../src-main/nn/config.ts';
import { exportNames } from '../../../src-main/nn/names.ts';
import { writeSafetensors } from '../../../src-main/nn/safetensors.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { withPrefix } from '../../../src-main/nn/tensors.ts';
import { writeTensors } from '../../../src-main/pretrain/checkpoint.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';

const network: SegmentationConfig = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 4 },
  decoder: 'fpn',
  decoderChannels: 4,
  fcnForm: 'cityscapes',
  classes: 2,
};

let folder = '';
let project: Project;
let pretrained: HostTensors;
let run = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-'));
  project = createProject(join(folder, 'Start.decon'));
  pretrained = segmentationParams(network, new Random(99));
  run = project.runs.create({ kind: 'pretrain', config: {}, seed: 0, start: 'random' }).id;
  store(
    Object.fromEntries(
      Object.entries(pretrained).map(([name, tensor]) => [
        name.replace(/^(encoder|decoder)\./, '$1_k.'),
        tensor,
      ]),
    ),
  );
});

afterEach(() => {
  project.dispose();
  rmSync(folder, { recursive: true });
});

function store(tensors: HostTensors): void {
  const path = join(project.runFolder(run), 'teacher.safetensors');
  const written = writeTensors(project, path, tensors, {});
  project.checkpoints.put({ runId: run, kind: 'final', step: 1, ...written });
}

function start(from: Parameters<typeof startWeights>[1], config: SegmentationConfig = network) {
  return startWeights(project, from, config, new Random(1));
}

/** Which parts have the values of the pre-training. */
function partsTaken(params: HostTensors): string[] {
  return ['encoder.', 'decoder.', 'classifier.'].filter((part) =>
    Object.entries(params).some(
      ([name, { data }]) =>
        name.startsWith(part) &&
        /(conv\d|lateral\d|output\d|classifier)\.weight$/.test(name) &&
        pretrained[name]?.data.every((value, i) => value === data[i]) === true,
    ),
  );
}

describe('startWeights', () => {
  it('takes over nothing, the encoder, or encoder and decoder of a run', () => {
    expect(partsTaken(start({ type: 'random' }).params)).toEqual([]);
    const encoder = start({ type: 'encoder', run });
    expect(partsTaken(encoder.params)).toEqual(['encoder.']);
    expect([...encoder.pretrained].every((name) => name.startsWith('encoder.'))).toBe(true);
    expect([...encoder.pretrained].some((name) => name.includes('running'))).toBe(false);
    const both = start({ type: 'encoder+decoder', run });
    expect(partsTaken(both.params)).toEqual(['encoder.', 'decoder.']);
  });

  it('gives equal random weights to equal seeds, whatever the start', () => {
    const [random, encoder] = [start({ type: 'random' }), start({ type: 'encoder', run })];
    expect(encoder.params['classifier.weight']).toEqual(random.params['classifier.weight']);
  });

  it('starts a decoder that differs at random, in words', () => {
    const wider = start({ type: 'encoder+decoder', run }, { ...network, decoderChannels: 8 });
    expect(partsTaken(wider.params)).toEqual(['encoder.']);
    expect(wider.notices.join()).toMatch(/decoder differs from the chosen one, so .* random/);
    const other = start({ type: 'encoder+decoder', run }, { ...network, decoder: 'fcn' });
    expect(other.notices.join()).toContain('random weights');
  });

  it('refuses an encoder that differs', () => {
    const deeper = {
      ...network,
      encoder: { block: 'basic', depths: [2, 1, 1, 1], width: 4 },
    } as const;
    expect(() => start({ type: 'encoder', run }, deeper)).toThrow(/another encoder/);
  });

  it('reads files with the names of torchvision', () => {
    const path = join(folder, 'resnet.safetensors');
    writeFileSync(
      path,
      writeSafetensors(exportNames(withPrefix(pretrained, 'encoder.'), 'torchvision')),
    );
    const { params, notices } = start({ type: 'file', path });
    expect(partsTaken(params)).toEqual(['encoder.']);
    expect(notices.join(' ')).toContain('The file resnet.safetensors: the encoder is taken over.');
  });

  it('says when a run has no weights yet or is gone', () => {
    const empty = project.runs.create({ kind: 'pretrain', config: {}, seed: 0, start: 'random' });
    expect(() => start({ type: 'encoder', run: empty.id })).toThrow(/has no weights yet/);
    expect(() => start({ type: 'encoder', run: 'gone' })).toThrow(/no longer in this project/);
  });
});
