import type { Command } from '../state/commands.svelte.ts';
import { commands } from '../state/commands.svelte.ts';
import { navigation } from '../state/navigation.svelte.ts';
import { projectActions } from '../state/project-actions.svelte.ts';
import { theme, themes } from '../state/theme.svelte.ts';
import { stepFacts, steps } from '../steps.ts';

/** Commands that can be given everywhere; `hasProject` adds those of the steps. */
export function shellCommands(hasProject: boolean): readonly Command[] {
  const goToSteps = steps.map((step, index) => ({
    id: `go.${step}`,
    title: `Go to ${stepFacts[step].title}`,
    hint: stepFacts[step].what,
    shortcut: `Alt+${index + 1}`,
    run: () => navigation.go(step),
  }));
  return [
    {
      id: 'palette',
      title: 'Commands',
      shortcut: 'Ctrl+K',
      run: () => (commands.isPaletteOpen = !commands.isPaletteOpen),
    },
    ...(hasProject ? goToSteps : []),
    {
      id: 'go.home',
      title: 'Projects',
      hint: 'Open another project, make a new one',
      run: () => navigation.go('home'),
    },
    {
      id: 'project.new',
      title: 'New project…',
      run: () => projectActions.askNew(),
    },
    {
      id: 'project.open',
      title: 'Open project…',
      shortcut: 'Ctrl+O',
      run: () => void projectActions.choose(),
    },
    ...themes.map((name) => ({
      id: `theme.${name}`,
      title: `Theme: ${name}`,
      hint: name === 'system' ? 'Light or dark as the system has it' : `Always ${name}`,
      run: () => void theme.choose(name),
    })),
  ];
}
