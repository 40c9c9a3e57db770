import type { Command } from '../../state/commands.svelte.ts';
import { attempt } from '../../state/attempt.ts';
import type { LabelDesk } from './desk.svelte.ts';
import { toolKeys, type Tool } from './tools.ts';

export const toolTitles: Readonly<Record<Tool, string>> = {
  brush: 'Brush',
  eraser: 'Eraser',
  polygon: 'Polygon',
  fill: 'Fill',
  pick: 'Pick a class',
  pan: 'Move the picture',
};

/** Steps through the list of images; owned by the screen. */
export interface Steps {
  readonly previous: () => void;
  readonly following: () => void;
  readonly showKeys: () => void;
}

const group = 'Label';
const opacityStep = 0.05;

/** Everything of the step Label that has a key and stands in the palette. */
export function labelCommands(desk: LabelDesk, steps: Steps): readonly Command[] {
  return [
    ...toolCommands(desk),
    ...editCommands(desk),
    ...viewCommands(desk),
    ...imageCommands(desk, steps),
    ...classCommands(desk),
  ].map((command) => ({ group, ...command }));
}

function toolCommands({ settings }: LabelDesk): Command[] {
  const tools = Object.entries(toolKeys).map(([key, tool]) => ({
    id: `label.tool.${tool}`,
    title: `Tool: ${toolTitles[tool]}`,
    shortcut: key.toUpperCase(),
    run: () => (settings.tool = tool),
  }));
  return [
    ...tools,
    {
      id: 'label.smaller',
      title: 'Smaller brush',
      shortcut: '[',
      run: () => settings.stepBrush(-1),
    },
    { id: 'label.larger', title: 'Larger brush', shortcut: ']', run: () => settings.stepBrush(1) },
  ];
}

function editCommands(desk: LabelDesk): Command[] {
  const edit = (change: 'undo' | 'redo') => (): void => {
    const editor = desk.open?.editor;
    if (editor?.gesture.type !== 'none') return;
    void attempt(() => editor[change]());
  };
  const redo = { title: 'Redo', isEnabled: () => desk.open?.editor.position.canRedo === true };
  return [
    {
      id: 'label.undo',
      title: 'Undo',
      shortcut: 'Ctrl+Z',
      isEnabled: () => desk.open?.editor.position.canUndo === true || desk.isStoring,
      run: edit('undo'),
    },
    { ...redo, id: 'label.redo', shortcut: 'Ctrl+Shift+Z', run: edit('redo') },
    { ...redo, id: 'label.redo.y', shortcut: 'Ctrl+Y', run: edit('redo') },
    {
      id: 'label.fill-rest',
      title: 'Fill the rest with the chosen class',
      hint: 'Gives every pixel that is not labelled to the chosen class',
      run: () => void desk.fillRest(),
    },
  ];
}

function viewCommands(desk: LabelDesk): Command[] {
  const { settings } = desk;
  const zoomBy = (factor: number) => (): void => {
    const { stage } = desk;
    if (stage !== undefined) stage.zoom(stage.view.scale * factor);
  };
  const fade = (by: number) => (): void => settings.setOpacity(settings.opacity + by);
  return [
    { id: 'label.fit', title: 'Whole image', shortcut: '0', run: () => desk.stage?.fit() },
    { id: 'label.pixels', title: 'Zoom to 100 %', shortcut: 'Z', run: () => desk.stage?.zoom(1) },
    { id: 'label.in', title: 'Zoom in', shortcut: '+', run: zoomBy(1.5) },
    { id: 'label.in.equals', title: 'Zoom in', shortcut: '=', run: zoomBy(1.5) },
    { id: 'label.out', title: 'Zoom out', shortcut: '-', run: zoomBy(1 / 1.5) },
    {
      id: 'label.mask',
      title: 'Show or hide labels',
      shortcut: 'X',
      run: () => settings.toggleMask(),
    },
    {
      id: 'label.outline',
      title: 'Outlines or areas',
      shortcut: 'O',
      run: () => settings.toggleOutline(),
    },
    { id: 'label.stronger', title: 'Labels stronger', shortcut: '.', run: fade(opacityStep) },
    { id: 'label.weaker', title: 'Labels weaker', shortcut: ',', run: fade(-opacityStep) },
  ];
}

function imageCommands(desk: LabelDesk, steps: Steps): Command[] {
  const isWaiting = (): boolean => desk.open?.editor.label.proposal?.state === 'waiting';
  return [
    { id: 'label.previous', title: 'Previous image', shortcut: 'A', run: steps.previous },
    { id: 'label.following', title: 'Next image of the list', shortcut: 'D', run: steps.following },
    {
      id: 'label.next',
      title: 'Go to the suggested image',
      shortcut: 'G',
      isEnabled: () => desk.next !== null && desk.next !== undefined,
      run: () => desk.goNext(),
    },
    {
      id: 'label.done',
      title: 'Mark as done',
      hint: 'The image counts as labelled',
      shortcut: 'Ctrl+Enter',
      run: () => void desk.markDone(),
    },
    {
      id: 'label.accept',
      title: 'Accept the proposal',
      shortcut: 'Y',
      isEnabled: isWaiting,
      run: () => void desk.acceptProposal(true),
    },
    {
      id: 'label.reject',
      title: 'Reject the proposal',
      shortcut: 'N',
      isEnabled: isWaiting,
      run: () => void desk.rejectProposal(),
    },
    { id: 'label.keys', title: 'Keys of the editor', shortcut: '?', run: steps.showKeys },
  ];
}

function classCommands(desk: LabelDesk): Command[] {
  return desk.classes.map(({ value, name, key }) => ({
    id: `label.class.${value}`,
    title: `Class: ${name}`,
    ...(key === null ? {} : { shortcut: String(key) }),
    run: () => desk.chooseClass(value),
  }));
}
