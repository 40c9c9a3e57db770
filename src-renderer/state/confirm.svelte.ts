export interface Question {
  readonly title: string;
  /** What happens, what is kept. */
  readonly text: string;
  readonly confirm: string;
  readonly cancel?: string;
  readonly isDangerous?: boolean;
}

/** One question at a time, shown by the shell. */
class Confirmation {
  question: Question | undefined = $state.raw();
  #answer: ((isYes: boolean) => void) | undefined;

  ask(question: Question): Promise<boolean> {
    this.answer(false);
    this.question = question;
    return new Promise((resolve) => (this.#answer = resolve));
  }

  answer(isYes: boolean): void {
    this.question = undefined;
    this.#answer?.(isYes);
    this.#answer = undefined;
  }
}

export const confirmation = new Confirmation();

/** Asks before something that cannot be taken back. */
export function confirmDialog(question: Question): Promise<boolean> {
  return confirmation.ask(question);
}
