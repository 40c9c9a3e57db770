import type { SuggestionRow, SuggestionStrategy } from '../project/label-suggestions.ts';
import type { Project } from '../project/project.ts';

/**
 * The image to label next: the best of the newest ranking, or, before there is one, an image of the
 * group with the fewest labels. Undefined when every image is labelled.
 */
export function nextSuggestion(
  project: Project,
  wanted: {
    readonly except?: string | undefined;
    readonly strategy?: SuggestionStrategy | undefined;
  },
): SuggestionRow | undefined {
  const ranked = project.labelSuggestions.first(wanted);
  if (ranked !== undefined) return ranked;
  const next = project.labelLists.fewestLabelsOfGroup(wanted.except ?? '');
  if (next === undefined) return undefined;
  const { imageId, group, labelled } = next;
  const reason =
    group === null
      ? 'Not labelled yet.'
      : labelled === 0
        ? `The group "${group}" has no label yet.`
        : `The group "${group}" has the fewest labels: ${labelled}.`;
  return { imageId, rank: 1, score: 1 / (1 + labelled), strategy: 'spread', reason };
}
