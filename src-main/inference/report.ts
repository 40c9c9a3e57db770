import { assertNever } from '../lib/errors.ts';
import { escapeMarkup } from './chart-parts.ts';
import { reportStyle } from './report-style.ts';

/** A picture inside the page. */
export interface ReportPicture {
  /** The bytes of a PNG or JPEG file. */
  readonly bytes: Uint8Array;
  /** What it shows, for readers who do not see it. */
  readonly alt: string;
  readonly caption?: string;
}

export type ReportBlock =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly caption?: string;
    }
  | { readonly type: 'charts'; readonly svgs: readonly string[] }
  /** Pictures of one thing side by side, one row a thing, with a head over each column. */
  | {
      readonly type: 'comparison';
      readonly head: readonly string[];
      readonly rows: readonly (readonly ReportPicture[])[];
    }
  | { readonly type: 'picture'; readonly picture: ReportPicture }
  | { readonly type: 'commands'; readonly lines: readonly string[] }
  | {
      readonly type: 'files';
      readonly files: readonly { readonly href: string; readonly note: string }[];
    };

export interface Report {
  readonly title: string;
  readonly subtitle: string;
  readonly verdict: {
    readonly tone: 'good' | 'neutral' | 'bad';
    readonly headline: string;
    readonly detail: string;
  };
  /** The few numbers to see first. */
  readonly facts: readonly { readonly value: string; readonly label: string }[];
  readonly sections: readonly { readonly title: string; readonly blocks: readonly ReportBlock[] }[];
  readonly footer: string;
}

/**
 * A report as one HTML page that needs nothing else: pictures, charts and style are inside, there is
 * no script. Follows the reader's light or dark setting, prints, and reads well on narrow screens.
 */
export function renderReport(report: Report): string {
  const { verdict } = report;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeMarkup(report.title)}</title><style>${reportStyle}</style></head><body><main>`,
    `<header><h1>${escapeMarkup(report.title)}</h1><p class="subtitle">${escapeMarkup(report.subtitle)}</p></header>`,
    `<section class="verdict ${verdict.tone}" aria-label="Verdict"><span class="mark" aria-hidden="true">${marks[verdict.tone]}</span>`,
    `<div><h2>${escapeMarkup(verdict.headline)}</h2><p>${escapeMarkup(verdict.detail)}</p></div></section>`,
    `<dl class="facts">${report.facts.map(fact).join('')}</dl>`,
    ...report.sections.map(
      ({ title, blocks }) =>
        `<section><h2>${escapeMarkup(title)}</h2>${blocks.map(renderBlock).join('')}</section>`,
    ),
    `<footer>${escapeMarkup(report.footer)}</footer></main></body></html>\n`,
  ].join('\n');
}

function renderBlock(block: ReportBlock): string {
  switch (block.type) {
    case 'text':
      return `<p>${escapeMarkup(block.text)}</p>`;
    case 'table':
      return table(block);
    case 'charts':
      return `<div class="charts">${block.svgs.join('')}</div>`;
    case 'comparison':
      return comparison(block);
    case 'picture':
      return `<figure class="wide">${picture(block.picture)}</figure>`;
    case 'commands':
      return `<pre>${block.lines.map((line) => `<code>${escapeMarkup(line)}</code>`).join('\n')}</pre>`;
    case 'files':
      return `<ul class="files">${block.files.map(file).join('')}</ul>`;
    default:
      return assertNever(block);
  }
}

function table({ head, rows, caption }: Extract<ReportBlock, { type: 'table' }>): string {
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const text = escapeMarkup(cell);
        return i === 0 ? `<th scope="row">${text}</th>` : `<td>${text}</td>`;
      })
      .join('');
  return [
    '<div class="scroll"><table>',
    caption === undefined ? '' : `<caption>${escapeMarkup(caption)}</caption>`,
    `<thead><tr>${head.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div>`,
  ].join('');
}

function comparison({ head, rows }: Extract<ReportBlock, { type: 'comparison' }>): string {
  const titles = head.map((title) => `<div class="head">${escapeMarkup(title)}</div>`).join('');
  const pictures = rows.flatMap((row) => row.map((item) => `<figure>${picture(item)}</figure>`));
  return `<div class="comparison of-${head.length}">${titles}${pictures.join('')}</div>`;
}

function picture({ bytes, alt, caption }: ReportPicture): string {
  const type = bytes[0] === 0x89 ? 'png' : 'jpeg';
  const source = `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
  const text = caption === undefined ? '' : `<figcaption>${escapeMarkup(caption)}</figcaption>`;
  return `<img src="${source}" alt="${escapeMarkup(alt)}">${text}`;
}

function fact({ value, label }: Report['facts'][number]): string {
  return `<div><dd>${escapeMarkup(value)}</dd><dt>${escapeMarkup(label)}</dt></div>`;
}

function file({ href, note }: { readonly href: string; readonly note: string }): string {
  const link = href.split('/').map(encodeURIComponent).join('/');
  return `<li><a href="${link}">${escapeMarkup(href)}</a> <span>${escapeMarkup(note)}</span></li>`;
}

const marks = { good: '\u2713', neutral: '\u2248', bad: '\u2212' } as const;
