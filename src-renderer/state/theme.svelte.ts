import { client } from '../client/client.ts';
import { attempt } from './attempt.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const storageKey = 'theme';

/** Light, dark or as the system has it. The copy in the page is there before main answers. */
class ThemeChoice {
  current: Theme = $state(toTheme(localStorage.getItem(storageKey)));

  constructor() {
    this.#apply();
  }

  /** Shows what main remembers. */
  take(theme: Theme): void {
    this.current = theme;
    this.#apply();
  }

  async choose(theme: Theme): Promise<void> {
    this.take(theme);
    await attempt(() => client.host.setTheme({ theme }));
  }

  #apply(): void {
    localStorage.setItem(storageKey, this.current);
    document.documentElement.dataset['theme'] = this.current;
  }
}

export const theme = new ThemeChoice();

function toTheme(text: string | null): Theme {
  return themes.find((known) => known === text) ?? 'system';
}
