/** A part of a page: what our own cards and guides are made of, not all of Markdown. */
export type Block =
  | { readonly type: 'heading'; readonly level: number; readonly text: readonly Span[] }
  | { readonly type: 'paragraph'; readonly text: readonly Span[] }
  | { readonly type: 'list'; readonly items: readonly (readonly Span[])[] }
  | { readonly type: 'code'; readonly text: string }
  | {
      readonly type: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

export interface Span {
  readonly text: string;
  readonly isCode: boolean;
}

/** Reads headings, paragraphs, lists, tables and fenced code. */
export function parseMarkdown(page: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = page.split('\n');
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    const take = (belongs: (line: string) => boolean): string[] => {
      const from = at;
      while (at < lines.length && belongs(lines[at] ?? '')) at += 1;
      return lines.slice(from, at);
    };
    if (line.trim() === '') {
      at += 1;
    } else if (line.startsWith('```')) {
      at += 1;
      const code = take((next) => !next.startsWith('```'));
      at += 1;
      blocks.push({ type: 'code', text: code.join('\n') });
    } else if (/^#{1,4} /.test(line)) {
      at += 1;
      const level = line.indexOf(' ');
      blocks.push({ type: 'heading', level, text: spans(line.slice(level + 1)) });
    } else if (line.startsWith('|')) {
      const [head = [], , ...rows] = take((next) => next.startsWith('|')).map(cells);
      blocks.push({ type: 'table', head, rows });
    } else if (line.startsWith('- ')) {
      const items = take((next) => next.startsWith('- '));
      blocks.push({ type: 'list', items: items.map((item) => spans(item.slice(2))) });
    } else {
      const text = take((next) => next.trim() !== '' && !/^(#{1,4} |- |\||```)/.test(next));
      blocks.push({ type: 'paragraph', text: spans(text.join(' ')) });
    }
  }
  return blocks;
}

function cells(row: string): string[] {
  const parts = row.split(/(?<!\\)\|/).slice(1, -1);
  return parts.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Text and `code` by turns. */
function spans(text: string): readonly Span[] {
  return text
    .split('`')
    .map((part, i) => ({ text: part, isCode: i % 2 === 1 }))
    .filter((span) => span.text !== '');
}
