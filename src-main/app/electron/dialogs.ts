import type { OpenDialogOptions } from 'electron';
import type { PickPurpose } from '../../contract/host.ts';

const images = { name: 'Images', extensions: ['png', 'jpg', 'jpeg', 'tif', 'tiff', 'webp', 'gif'] };
const anything = { name: 'All Files', extensions: ['*'] };

const titles: Readonly<Record<PickPurpose, string>> = {
  images: 'Choose the folder with your images',
  masks: 'Choose the masks',
  project: 'Choose a project',
  output: 'Choose where to write',
  input: 'Choose images to segment',
  model: 'Choose a model',
  weights: 'Choose a weights file',
};

const filters: Readonly<Record<PickPurpose, NonNullable<OpenDialogOptions['filters']>>> = {
  images: [images, anything],
  masks: [{ name: 'COCO labels', extensions: ['json'] }, anything],
  project: [anything],
  output: [anything],
  input: [images, anything],
  model: [{ name: 'Models', extensions: ['onnx'] }, anything],
  weights: [{ name: 'Weights', extensions: ['safetensors'] }, anything],
};

/** The system's dialog for a choice. */
export function openDialogOptions(request: {
  readonly purpose: PickPurpose;
  readonly kind: 'folder' | 'files';
}): OpenDialogOptions {
  const { purpose, kind } = request;
  if (kind === 'folder') {
    const properties: NonNullable<OpenDialogOptions['properties']> = [
      'openDirectory',
      'createDirectory',
    ];
    return { title: titles[purpose], buttonLabel: 'Choose', properties };
  }
  const isMany = purpose === 'input' || purpose === 'images';
  return {
    title: titles[purpose],
    buttonLabel: 'Choose',
    filters: filters[purpose],
    properties: ['openFile', ...(isMany ? (['multiSelections'] as const) : [])],
  };
}
