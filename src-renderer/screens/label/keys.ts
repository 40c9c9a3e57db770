interface KeyGroup {
  readonly title: string;
  readonly keys: readonly { readonly keys: readonly string[]; readonly what: string }[];
}

/** Every key of the editor, as the sheet and the guide list them. */
export const keyGroups: readonly KeyGroup[] = [
  {
    title: 'Tools',
    keys: [
      { keys: ['B'], what: 'Brush' },
      { keys: ['E'], what: 'Eraser' },
      { keys: ['P'], what: 'Polygon' },
      { keys: ['F'], what: 'Fill' },
      { keys: ['I'], what: 'Pick the class below the cursor' },
      { keys: ['H'], what: 'Move the picture' },
      { keys: ['Space'], what: 'Move the picture while held' },
      { keys: ['Alt'], what: 'Take away while held' },
      { keys: ['[', ']'], what: 'Smaller, larger brush' },
      { keys: ['Ctrl+wheel', 'Alt+wheel'], what: 'Brush size' },
      { keys: ['1', '…', '9'], what: 'Class with this key' },
    ],
  },
  {
    title: 'Polygon',
    keys: [
      { keys: ['Enter'], what: 'Close' },
      { keys: ['Backspace'], what: 'Take the last corner back' },
      { keys: ['Esc'], what: 'Drop the polygon or the stroke' },
    ],
  },
  {
    title: 'Without a mouse',
    keys: [
      { keys: ['Arrows'], what: 'Move the cross by a brush radius' },
      { keys: ['Shift+arrows'], what: 'Move it by one pixel' },
      { keys: ['Ctrl+arrows'], what: 'Move it far' },
      { keys: ['Space', 'Enter'], what: 'Start and end a stroke, set a corner, fill, pick' },
      { keys: ['Esc'], what: 'Put the cross away' },
    ],
  },
  {
    title: 'View',
    keys: [
      { keys: ['Wheel', '+', '-'], what: 'Zoom' },
      { keys: ['0'], what: 'Whole image' },
      { keys: ['Z'], what: 'Zoom to 100 %' },
      { keys: ['X'], what: 'Show or hide labels' },
      { keys: ['O'], what: 'Outlines or areas' },
      { keys: ['Ctrl+Shift+wheel', ',', '.'], what: 'Labels weaker, stronger' },
    ],
  },
  {
    title: 'Image',
    keys: [
      { keys: ['Ctrl+Z'], what: 'Undo' },
      { keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], what: 'Redo' },
      { keys: ['Enter', 'Ctrl+Enter'], what: 'Mark as done' },
      { keys: ['A', 'D'], what: 'Previous, next image of the list' },
      { keys: ['G'], what: 'Go to the suggested image' },
      { keys: ['Y', 'N'], what: 'Accept, reject the proposal' },
    ],
  },
];
