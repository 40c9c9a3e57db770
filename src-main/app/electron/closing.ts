import type { MessageBoxOptions } from 'electron';

/** What the user wants of running jobs when the window closes. */
export type Closing = 'pause-and-quit' | 'background' | 'stay';

const choices = [
  { closing: 'pause-and-quit', label: 'Pause and Quit' },
  { closing: 'background', label: 'Keep Working in the Background' },
  { closing: 'stay', label: 'Cancel' },
] as const satisfies readonly { readonly closing: Closing; readonly label: string }[];

/** The question for a window that closes while jobs run; titles as in the jobs tray. */
export function closingQuestion(titles: readonly string[]): MessageBoxOptions {
  const what = titles.length === 1 ? `“${titles[0] ?? ''}” is` : `${titles.length} jobs are`;
  return {
    type: 'question',
    title: 'DeCon Studio',
    message: `${what} still running`,
    detail:
      'Paused jobs can be continued exactly where they stopped. In the background they go on ' +
      'without a window; open DeCon Studio again to see them.',
    buttons: choices.map(({ label }) => label),
    defaultId: 1,
    cancelId: 2,
    noLink: true,
  };
}

/** The choice behind the button that was pressed. */
export function closingOf(response: number): Closing {
  return choices[response]?.closing ?? 'stay';
}
