export interface Toast {
  readonly id: number;
  readonly tone: 'info' | 'success' | 'warning' | 'danger';
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const shownMs = 8000;

/** Short notes for what needs the user. Faults stay until they are closed. */
class Toasts {
  list: readonly Toast[] = $state.raw([]);
  #next = 1;

  show(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++;
    const others = this.list.filter(({ text }) => text !== toast.text);
    this.list = [...others, { ...toast, id }].slice(-4);
    if (toast.tone !== 'danger') setTimeout(() => this.close(id), shownMs);
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
