import * as v from 'valibot';

/** The first thing a schema found wrong with settings, as a sentence. */
export function settingsProblem(issues: readonly [v.BaseIssue<unknown>, ...unknown[]]): string {
  const [issue] = issues;
  const field = v.getDotPath(issue);
  if (field === null) return issue.message;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return `There is no setting "${field}".`;
  }
  const isOwnSentence = !issue.message.startsWith('Invalid ');
  if (isOwnSentence) return `The setting "${field}" is not valid: ${issue.message}`;
  const wanted = issue.expected === null ? 'something else' : inWords(issue.expected);
  return `The setting "${field}" must be ${wanted}, not ${issue.received}.`;
}

/** valibot's `>=1` and `("a" | "b")` as people say it. */
function inWords(expected: string): string {
  const limit = /^(>=|<=|>|<)(.+)$/.exec(expected);
  const words = limit === null ? undefined : limits.get(limit[1] ?? '');
  if (words !== undefined) return `${words} ${limit?.[2]}`;
  return expected.replaceAll(/[()]/g, '').replaceAll(' | ', ' or ');
}

const limits: ReadonlyMap<string, string> = new Map([
  ['>=', 'at least'],
  ['<=', 'at most'],
  ['>', 'more than'],
  ['<', 'less than'],
]);
