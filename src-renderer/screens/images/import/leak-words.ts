import type { LeakScore } from '../../../../src-main/contract/import.ts';
import { formatCount, formatPercent } from '../../../format.ts';

/** What the leak score means for the scores; `groups` is how many there are. */
export function leakSentence({ leaking, heldOut }: LeakScore, groups: number): string {
  if (heldOut === 0) return 'Nothing is held out yet, so nothing can leak.';
  if (leaking === 0 && groups === 0) {
    return 'No file is in two parts. Whether a patient, slide or site is, cannot be told before groups are chosen.';
  }
  if (leaking === 0) {
    return `Leak score 0: none of the ${formatCount(heldOut)} held-out images shares a group or a file with one that is learned from.`;
  }
  return `Leak score ${formatPercent(leaking / heldOut)}: ${formatCount(leaking)} of ${formatCount(heldOut)} held-out images share a group or a file with images that are learned from. Scores may look better than they are.`;
}
