import type { Component } from 'svelte';
import Images from '@lucide/svelte/icons/images';
import Brush from '@lucide/svelte/icons/brush';
import ChartNoAxesColumn from '@lucide/svelte/icons/chart-no-axes-column';
import ScanSearch from '@lucide/svelte/icons/scan-search';
import Layers from '@lucide/svelte/icons/layers';

export const steps = ['images', 'pretrain', 'label', 'study', 'use'] as const;
export type Step = (typeof steps)[number];

/** The five steps in working order, as the rail shows them. */
export const stepFacts: Readonly<
  Record<Step, { readonly title: string; readonly icon: Component; readonly what: string }>
> = {
  images: { title: 'Images', icon: Images, what: 'Bring in your images and their labels' },
  pretrain: { title: 'Pre-train', icon: Layers, what: 'Learn from unlabelled images' },
  label: { title: 'Label', icon: Brush, what: 'Draw what the model shall find' },
  study: { title: 'Study', icon: ChartNoAxesColumn, what: 'Train and compare with few labels' },
  use: { title: 'Use', icon: ScanSearch, what: 'Segment images and export the model' },
};
