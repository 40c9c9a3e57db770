import type { LabelClass } from '../../../src-main/contract/classes.ts';
import type { Suggestion } from '../../../src-main/contract/labels.ts';
import { client, sentenceOf } from '../../client/client.ts';
import { pictureUrl } from '../../client/pictures.ts';
import { formatCount } from '../../format.ts';
import { attempt } from '../../state/attempt.ts';
import { navigation } from '../../state/navigation.svelte.ts';
import { toasts } from '../../state/toasts.svelte.ts';
import { LabelEditor } from './editor.svelte.ts';
import { fillAt, limitPx } from './fill.ts';
import { notLabelled, type Point } from './grid.ts';
import { LabelSettings, type BrushUnit, type StrategyChoice } from './settings.svelte.ts';
import type { Stage } from './stage.svelte.ts';

/** The open image with everything that is drawn of it. */
export interface OpenImage {
  readonly editor: LabelEditor;
  /** Changes with the picture's pixels. */
  readonly version: string;
}

/** What the step Label is busy with: the open image, the class in hand, the fill in progress. */
export class LabelDesk {
  readonly settings = new LabelSettings();
  open: OpenImage | undefined = $state.raw();
  error: string | undefined = $state();
  classes: readonly LabelClass[] = $state.raw([]);
  /** The image to label after this one. */
  next: Suggestion | null | undefined = $state.raw();
  /** A fill that goes on. */
  fill: { readonly filledPx: number; readonly stop: () => void } | undefined = $state.raw();
  /** Set by the canvas while it is shown. */
  stage: Stage | undefined = $state.raw();
  #chosenValue: number | undefined = $state();
  #wanted: string | undefined;

  /** The class to paint with. */
  readonly classValue = $derived(
    (this.classes.find(({ value }) => value === this.#chosenValue) ?? this.classes.at(-1))?.value ??
      notLabelled,
  );

  chooseClass(value: number): void {
    this.#chosenValue = value;
    const { tool } = this.settings;
    if (tool === 'eraser' || tool === 'pick') this.settings.tool = 'brush';
    this.stage?.refreshCursor();
  }

  colorOf(value: number): string {
    return this.classes.find((entry) => entry.value === value)?.color ?? '#ffffff';
  }

  /** Opens an image; without one, the one to label next. */
  async show(imageId: string | undefined): Promise<void> {
    if (imageId === undefined) return this.#showNext();
    if (imageId === this.#wanted) return;
    this.#wanted = imageId;
    this.error = undefined;
    try {
      const stored = this.close();
      const [label, { version }] = await Promise.all([
        client.labels.open({ imageId }),
        client.images.get({ imageId }),
        stored,
      ]);
      if (this.#wanted !== imageId) return;
      const editor = new LabelEditor(label, {
        onPixels: (rect) => this.stage?.invalidate(rect),
        onPick: (value) => this.#pick(value),
        onFill: (at, value) => void this.#fill(at, value),
        onFault: (error) => toasts.show({ tone: 'danger', text: sentenceOf(error) }),
      });
      this.open = { editor, version };
      await this.lookAhead();
    } catch (error) {
      if (this.#wanted === imageId) this.error = sentenceOf(error);
    }
  }

  /** Asks what comes next and warms up its pictures. */
  async lookAhead(): Promise<void> {
    const imageId = this.open?.editor.label.imageId;
    const { strategy } = this.settings;
    const next = await client.labels.next({
      ...(imageId === undefined ? {} : { except: imageId }),
      ...(strategy === 'auto' ? {} : { strategy }),
    });
    if (imageId !== this.open?.editor.label.imageId) return;
    this.next = next;
    if (next === null) return;
    const { version } = await client.images.get({ imageId: next.imageId });
    new Image().src = pictureUrl('thumb', [next.imageId], { size: 512, v: version });
  }

  goNext(): void {
    if (this.next) navigation.go('label', this.next.imageId);
  }

  /** Marks the image as done and, when that is wished, opens the next one. */
  async markDone(): Promise<void> {
    const editor = this.open?.editor;
    if (editor === undefined) return;
    const isDone = await attempt(async () => {
      await editor.setState('done');
      return true;
    });
    if (isDone !== true) return;
    if (this.settings.opensNext && this.next) this.goNext();
    else toasts.show({ tone: 'success', text: `${editor.label.name} counts as labelled.` });
  }

  /** Takes "done" back, to go on painting. */
  async reopen(): Promise<void> {
    await attempt(async () => this.open?.editor.setState('started'));
  }

  /** Gives what is not labelled to the chosen class, or to another one. */
  async fillRest(value = this.classValue): Promise<void> {
    if (value === notLabelled) return;
    await attempt(async () => this.open?.editor.fillRest(value));
  }

  /** Makes the waiting proposal the label, to be marked as done at once or edited before. */
  async acceptProposal(isDone: boolean): Promise<void> {
    const editor = this.open?.editor;
    const isAccepted = await attempt(async () => {
      await editor?.acceptProposal();
      return true;
    });
    if (isAccepted === true && isDone) await this.markDone();
  }

  /** The decision is kept; the image stays as it is. */
  async rejectProposal(): Promise<void> {
    const editor = this.open?.editor;
    if (editor === undefined) return;
    await attempt(async () => {
      await client.labels.rejectProposal({ imageId: editor.label.imageId });
      await editor.refresh();
    });
  }

  /** Counts the brush in other pixels; it stays as large as it is. */
  changeBrushUnit(unit: BrushUnit): void {
    const { settings, stage } = this;
    if (settings.brushUnit === unit) return;
    const scale = stage?.view.scale ?? 1;
    settings.brushUnit = unit;
    settings.resizeBrush(settings.brushPx * (unit === 'screen' ? scale : 1 / scale));
  }

  /** The newest list of classes. */
  takeClasses(classes: readonly LabelClass[]): void {
    this.classes = classes;
  }

  chooseStrategy(strategy: StrategyChoice): void {
    this.settings.strategy = strategy;
    void attempt(() => this.lookAhead());
  }

  /** Starts the job that ranks what is not labelled. */
  async rank(): Promise<void> {
    await attempt(() => client.labels.suggest({ strategy: this.settings.strategy }));
  }

  /** Tries again to open the image that could not be opened. */
  retry(): void {
    const imageId = this.#wanted;
    this.#wanted = undefined;
    void this.show(imageId);
  }

  /** Strokes are on their way to the disk. */
  get isStoring(): boolean {
    return this.open?.editor.sync.type === 'storing';
  }

  /** Stores what is painted and lets the image go. */
  async close(): Promise<void> {
    const open = this.open;
    this.fill?.stop();
    this.open = undefined;
    await open?.editor.dispose();
  }

  #pick(value: number): void {
    if (value === notLabelled) this.settings.tool = 'eraser';
    else this.chooseClass(value);
  }

  async #fill(at: Point, value: number): Promise<void> {
    const open = this.open;
    if (open === undefined || this.fill !== undefined) return;
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    this.fill = { filledPx: 0, stop };
    try {
      const isFilled = await fillAt(open.editor, {
        at,
        value,
        by: this.settings.fillBy,
        tolerance: this.settings.tolerance,
        picture: { imageId: open.editor.label.imageId, version: open.version },
        signal: controller.signal,
        onProgress: (filledPx) => (this.fill = { filledPx, stop }),
      });
      if (!isFilled) toasts.show({ tone: 'warning', text: tooLarge });
    } catch (error) {
      if (!controller.signal.aborted) {
        toasts.show({ tone: 'danger', text: sentenceOf(error) });
      }
    } finally {
      this.fill = undefined;
    }
  }

  async #showNext(): Promise<void> {
    this.#wanted = undefined;
    await this.close();
    await attempt(async () => {
      const next = await client.labels.next({});
      const imageId = next?.imageId ?? (await firstImage());
      if (imageId !== undefined && this.#wanted === undefined) navigation.go('label', imageId);
    });
  }
}

const tooLarge =
  `This region has more than ${formatCount(limitPx)} pixels, so nothing was filled. Draw a line ` +
  'across it, or use "Fill the rest" for what is not labelled.';

async function firstImage(): Promise<string | undefined> {
  const { items } = await client.labels.list({ show: 'all', offset: 0, limit: 1 });
  return items[0]?.imageId;
}
