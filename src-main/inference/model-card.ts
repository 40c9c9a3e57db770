import type { ModelDescription } from './model-description.ts';
import { modelClasses } from './model-description.ts';

/** What a card says beside the model's own description. */
export interface CardFile {
  /** Name of the model file the card lies beside. */
  readonly file: string;
  /** Absent before the file is written. */
  readonly maxDifference?: number;
}

/** A page about a model, as Markdown: what it does, how good it is, where it is from, how to use it. */
export function modelCard(model: ModelDescription, { file, maxDifference }: CardFile): string {
  const { provenance, network, tileSizePx: size, scale } = model;
  const encoder = typeof network.encoder === 'string' ? network.encoder : 'residual network';
  return [
    `# ${model.name}`,
    '',
    `Semantic segmentation into ${model.classes.length} classes, made with DeCon Studio ${provenance.appVersion}.`,
    '',
    '## Classes',
    '',
    ...table(
      ['value', 'class', 'color'],
      modelClasses(model).map(({ index, name, color }) => [String(index), name, color]),
    ),
    '',
    '## Scores',
    '',
    ...scoreLines(model.scores),
    '',
    '## Data',
    '',
    `- Labelled images it was trained on: ${provenance.trainingImages ?? 'not recorded'}`,
    `- Images its start was pre-trained on, without labels: ${provenance.pretrainingImages ?? 'none'}`,
    `- Start: ${provenance.start ?? 'not recorded'}; seed ${provenance.seed ?? 'not recorded'}`,
    `- Run: ${provenance.runName ?? 'not recorded'}, finished ${provenance.createdAt}`,
    '',
    '## Network',
    '',
    `- ${encoder}, decoder ${network.decoder}, tiles of ${size} x ${size} px`,
    scale === 1
      ? '- Works on pictures at their own resolution.'
      : `- Works on pictures scaled to ${scale} of their size; scale the result back.`,
    '- Normalization is inside the file: (x / 255 - mean) / std with mean (0.485, 0.456, 0.406) and std (0.229, 0.224, 0.225).',
    maxDifference === undefined
      ? '- The file is compared with the trained network before it counts.'
      : `- The file gives the same result as the trained network (largest difference of a probability ${maxDifference.toExponential(1)}).`,
    '',
    '## Use',
    '',
    'With DeCon Studio, on pictures of any size:',
    '',
    '```sh',
    `decon predict ${file} PICTURES --out RESULTS`,
    '```',
    '',
    'With onnxruntime, on one tile:',
    '',
    '```python',
    'import numpy as np, onnxruntime as ort',
    `session = ort.InferenceSession("${file}")`,
    `tile = np.zeros((1, ${size}, ${size}, 3), np.uint8)  # RGB, 0..255`,
    'probabilities = session.run(["probabilities"], {"image": tile})[0]  # (1, height, width, classes)',
    'classes = probabilities.argmax(-1)',
    '```',
    '',
    'The size of a tile is fixed. Cut larger pictures into overlapping tiles and blend the probabilities.',
    '',
    '## Limits',
    '',
    'The scores hold for pictures like those it was tested on. On others, look at the results first.',
    '',
    '## License',
    '',
    model.license === ''
      ? 'Not stated. It depends on the images it was trained on.'
      : model.license,
    '',
  ].join('\n');
}

function scoreLines(scores: ModelDescription['scores']): string[] {
  if (scores === undefined) return ['Not scored: there were no held-out images with masks.'];
  const kind = scores.split === 'test' ? 'test' : 'validation';
  const mean = (value: number | undefined): string => value?.toFixed(4) ?? 'no example';
  return [
    `On ${scores.images} whole ${kind} images${scores.split === 'test' ? ' that were used for nothing else' : ', which also chose the weights'}.`,
    '',
    ...table(
      ['class', 'Dice', 'IoU'],
      [
        ...scores.classes.map(({ name, dice, iou }) => [name, mean(dice), mean(iou)]),
        ['mean', mean(scores.meanDice), mean(scores.meanIou)],
      ],
    ),
    '',
    `Pixel accuracy: ${mean(scores.pixelAccuracy)}`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
