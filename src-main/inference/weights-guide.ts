import { basename } from 'node:path';
import type { WeightsFile, WeightsTarget } from './export-plan.ts';

/** A page about exported weights, as Markdown: what each file holds and how to load it. */
export function weightsGuide(
  runName: string,
  target: WeightsTarget,
  files: readonly Pick<WeightsFile, 'path' | 'part' | 'tensors'>[],
): string {
  const fileOf = (part: WeightsFile['part']): string =>
    basename(files.find((file) => file.part === part)?.path ?? '');
  return [
    `# ${runName} for ${target}`,
    '',
    'Weights of DeCon Studio as safetensors, PyTorch layout. Classifier and pre-training heads are not in them.',
    '',
    ...files.map(
      ({ path, part, tensors }) => `- \`${basename(path)}\`: ${content(part)}, ${tensors} tensors`,
    ),
    '',
    'Inputs are RGB; normalize with mean (0.485, 0.456, 0.406) and std (0.229, 0.224, 0.225) of values 0..1',
    '(123.675, 116.28, 103.53 and 58.395, 57.12, 57.375 of values 0..255).',
    '',
    ...instructions[target]({
      encoder: fileOf('encoder'),
      decoder: fileOf('decoder'),
      both: fileOf('both'),
    }),
    '',
  ].join('\n');
}

function content(part: WeightsFile['part']): string {
  return part === 'both' ? 'encoder and decoder' : part;
}

type FileNames = Readonly<Record<WeightsFile['part'], string>>;

const instructions: Readonly<Record<WeightsTarget, (files: FileNames) => readonly string[]>> = {
  torchvision: ({ encoder, decoder }) => [
    '```python',
    'import torchvision',
    'from safetensors.torch import load_file',
    'model = torchvision.models.resnet50()  # or the ResNet you chose',
    `missing, unexpected = model.load_state_dict(load_file("${encoder}"), strict=False)`,
    'assert missing == ["fc.weight", "fc.bias"] and not unexpected',
    '```',
    ...(decoder === ''
      ? []
      : [
          '',
          `\`${decoder}\` has the names of torchvision's detection models where the decoder is an FPN`,
          '(`fpn.inner_blocks.*`, `fpn.layer_blocks.*`, with batch norm: build it with `norm_layer=nn.BatchNorm2d`).',
        ]),
  ],
  mmsegmentation: ({ encoder, decoder }) => [
    'mmengine reads `.pth` files. Convert once:',
    '',
    '```python',
    'import torch',
    'from safetensors.torch import load_file',
    ...[encoder, decoder]
      .filter((file) => file !== '')
      .map(
        (file) =>
          `torch.save({"state_dict": load_file("${file}")}, "${file.replace('.safetensors', '.pth')}")`,
      ),
    '```',
    '',
    'Then in the config (torchvision layout, so `style="pytorch"`):',
    '',
    '```python',
    `backbone=dict(init_cfg=dict(type="Pretrained", checkpoint="${encoder.replace('.safetensors', '.pth')}"))`,
    ...(decoder === ''
      ? []
      : [
          '# FPN: neck=dict(type="FPN", ...); FCN: decode_head=dict(type="FCNHead", num_convs=2, concat_input=False, ...)',
          `neck_or_decode_head=dict(init_cfg=dict(type="Pretrained", checkpoint="${decoder.replace('.safetensors', '.pth')}"))`,
        ]),
    '```',
  ],
  detectron2: ({ both }) => [
    'detectron2 reads pickles and finds the names by their endings. Convert once:',
    '',
    '```python',
    'import pickle',
    'from safetensors.numpy import load_file',
    `model = {"model": load_file("${both}"), "__author__": "DeCon Studio", "matching_heuristics": True}`,
    `pickle.dump(model, open("${both.replace('.safetensors', '.pkl')}", "wb"))`,
    '```',
    '',
    'Config: `INPUT.FORMAT: RGB`, `RESNETS.STRIDE_IN_1X1: False`, `FPN.NORM: SyncBN`,',
    '`PIXEL_MEAN: [123.675, 116.28, 103.53]`, `PIXEL_STD: [58.395, 57.12, 57.375]`.',
  ],
};
