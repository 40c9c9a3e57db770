import { steps, type Step } from '../steps.ts';

/** What the window shows: a step, perhaps one thing in it, and how. */
export interface Route {
  readonly step: Step | 'home';
  /** The image, run, study... that is open in the step. */
  readonly id?: string | undefined;
  readonly query: Readonly<Record<string, string>>;
}

/** The address bar is the state, so that reload, back and forward work. One for the window. */
class Navigation {
  route: Route = $state.raw(parseRoute(location.hash));

  constructor() {
    addEventListener('hashchange', () => (this.route = parseRoute(location.hash)));
  }

  /** `go('label', imageId)`, `go('study', studyId, { tab: 'confusion' })` */
  go(step: Route['step'], id?: string, query: Readonly<Record<string, string>> = {}): void {
    location.hash = formatRoute({ step, id, query });
  }

  /** Changes the query of this place, without a new entry in the history. */
  refine(query: Readonly<Record<string, string | undefined>>): void {
    const all = Object.entries({ ...this.route.query, ...query });
    const kept = all.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    this.route = { ...this.route, query: Object.fromEntries(kept) };
    history.replaceState(null, '', formatRoute(this.route));
  }
}

export function parseRoute(hash: string): Route {
  const url = new URL(hash.replace(/^#/, '') || '/', 'app://studio');
  const [name, id] = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (name === 'home') return { step: 'home', query: {} };
  // An address without a step is the first one; without a project, home is shown anyway.
  const step = steps.find((known) => known === name) ?? 'images';
  return { step, id, query: Object.fromEntries(url.searchParams) };
}

export function formatRoute({ step, id, query }: Route): string {
  const path = [step, ...(id === undefined ? [] : [id])].map(encodeURIComponent).join('/');
  const text = new URLSearchParams(query).toString();
  return `#/${path}${text === '' ? '' : `?${text}`}`;
}

export const navigation = new Navigation();
