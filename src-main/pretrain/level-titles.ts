import type { MethodConfig } from './config.ts';

/** A loss level as people are told: `encoder`, `decoder`, or `decoder p2` to `decoder p5`. */
export function levelTitle(config: Pick<MethodConfig, 'decoder'>, label: string): string {
  const index = /^level(\d)$/.exec(label)?.[1];
  if (index === undefined) return label;
  return config.decoder === 'fpn' ? `decoder p${Number(index) + 2}` : 'decoder';
}
