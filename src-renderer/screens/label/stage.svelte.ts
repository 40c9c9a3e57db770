import type { ClassColors } from './class-pixels.ts';
import { PictureLayer } from '../../components/viewer/picture-layer.ts';
import { ClassLayer } from './class-layer.ts';
import type { LabelEditor } from './editor.svelte.ts';
import { isInside, tilesIn, type Point, type Rect } from './grid.ts';
import { drawOverlay } from './overlay.ts';
import type { LabelSettings } from './settings.svelte.ts';
import type { ToolEvent, ToolSettings } from './tools.ts';
import {
  fitted,
  panned,
  resized,
  showing,
  toImage,
  toScreen,
  zoomed,
  type View,
} from '../../components/viewer/camera.ts';

export interface StageOptions {
  readonly editor: LabelEditor;
  readonly settings: LabelSettings;
  readonly canvases: {
    readonly picture: HTMLCanvasElement;
    readonly classes: HTMLCanvasElement;
    readonly proposal: HTMLCanvasElement;
    readonly overlay: HTMLCanvasElement;
  };
  /** The circle of the brush. Moving an element costs less than drawing a circle. */
  readonly circle: HTMLElement;
  /** Changes with the picture's pixels. */
  readonly version: string;
  readonly colorOf: (value: number) => string;
  readonly classValue: () => number;
}

/** More tiles at once than anyone can tell apart; labels are hidden when the view needs more. */
const tilesShownAtMost = 4096;
/** How near to the first corner a click closes a polygon, in screen pixels. */
const closeWithinPx = 10;

/**
 * The canvas of the editor: where the image is, what is drawn on it, and where the hand is. Events
 * change numbers at once; drawing happens once a frame.
 */
export class Stage {
  view: View;
  /** In pixels of the image; undefined when the pointer is elsewhere. */
  cursor: Point | undefined;
  /** Where the cursor was drawn last, and the class there. */
  readout: { readonly at: Point; readonly value: number } | undefined;
  isKeyboard = $state(false);
  isSubtracting = $state(false);
  isPanning = $state(false);
  readonly #options: StageOptions;
  readonly #classes: ClassLayer;
  readonly #proposal: ClassLayer;
  readonly #picture: PictureLayer;
  readonly #pictureContext: CanvasRenderingContext2D;
  readonly #overlay: CanvasRenderingContext2D;
  #isPictureStale = true;
  #frame: number | undefined;
  #isOverlayStale = true;
  #isCursorStale = true;
  #shownView: View | undefined;
  #isFitted = true;

  constructor(options: StageOptions) {
    const { canvases, editor, version } = options;
    this.#options = options;
    this.#overlay = contextOf(canvases.overlay);
    this.#pictureContext = contextOf(canvases.picture);
    const { imageId } = editor.label;
    const layer = { kind: 'tile', ids: [imageId], parameters: { v: version } };
    this.#picture = new PictureLayer(editor.grid, layer, () => {
      this.#isPictureStale = true;
      this.#drawSoon();
    });
    this.#classes = new ClassLayer(canvases.classes, editor.store);
    this.#proposal = new ClassLayer(canvases.proposal, editor.proposal);
    const empty = { left: 0, top: 0, scale: 1, widthPx: 0, heightPx: 0, pixelRatio: 1 };
    this.view = $state.raw(empty);
    this.readout = $state.raw<Stage['readout']>(undefined);
  }

  /** The canvas has this size on the screen. */
  resize(widthPx: number, heightPx: number, pixelRatio: number): void {
    const { overlay, picture } = this.#options.canvases;
    for (const canvas of [overlay, picture]) {
      canvas.width = Math.round(widthPx * pixelRatio);
      canvas.height = Math.round(heightPx * pixelRatio);
    }
    const view = resized(this.view, { widthPx, heightPx }, pixelRatio);
    if (this.#isFitted) this.view = fitted(this.#image, view);
    else this.view = view;
    this.#drawSoon();
  }

  fit(): void {
    this.#isFitted = true;
    this.view = fitted(this.#image, this.view);
    this.#drawSoon();
  }

  /** @param at on the canvas; the middle or the keyboard's cross when absent */
  zoom(scale: number, at?: Point): void {
    const middle = { x: this.view.widthPx / 2, y: this.view.heightPx / 2 };
    this.#move(zoomed(this.#image, this.view, at ?? middle, scale));
  }

  pan(by: Point): void {
    this.#move(panned(this.#image, this.view, by));
  }

  /** The pointer passed these points of the canvas. */
  point(through: readonly Point[]): void {
    const points = through.map((at) => toImage(this.view, at));
    if (this.isKeyboard) this.leaveKeyboard();
    this.cursor = points.at(-1);
    if (this.#options.editor.gesture.type === 'stroke') this.use({ type: 'move', through: points });
    this.#cursorSoon();
  }

  press(at: Point): void {
    const point = toImage(this.view, at);
    this.cursor = point;
    this.use({ type: 'press', at: point });
  }

  /** The pointer left the canvas. */
  leave(): void {
    if (this.isKeyboard) return;
    this.cursor = undefined;
    this.#cursorSoon();
  }

  /** The keyboard's cross goes away. */
  leaveKeyboard(): void {
    this.isKeyboard = false;
    this.cursor = undefined;
    this.#isOverlayStale = true;
    this.#cursorSoon();
  }

  /** Moves the keyboard's cross, which appears in the middle of the view. */
  moveCursor(dx: number, dy: number, step: 'brush' | 'pixel' | 'far'): void {
    const { editor } = this.#options;
    const { widthPx, heightPx } = this.#image;
    const middle = toImage(this.view, { x: this.view.widthPx / 2, y: this.view.heightPx / 2 });
    const from = this.cursor ?? {
      x: Math.floor(Math.min(Math.max(middle.x, 0), widthPx - 1)) + 0.5,
      y: Math.floor(Math.min(Math.max(middle.y, 0), heightPx - 1)) + 0.5,
    };
    const distance = this.#cursorStep(step);
    const cursor = {
      x: Math.min(Math.max(from.x + dx * distance, 0.5), widthPx - 0.5),
      y: Math.min(Math.max(from.y + dy * distance, 0.5), heightPx - 0.5),
    };
    this.isKeyboard = true;
    this.cursor = cursor;
    if (editor.gesture.type === 'stroke') this.use({ type: 'move', through: [cursor] });
    this.#move(showing(this.#image, this.view, cursor));
    this.#cursorSoon();
  }

  /** Gives an event to the tool in hand. */
  use(event: ToolEvent): void {
    const { editor } = this.#options;
    const { gesture } = editor;
    editor.use(event, this.toolSettings);
    if (gesture.type === 'polygon' || editor.gesture.type === 'polygon')
      this.#isOverlayStale = true;
    this.#cursorSoon();
  }

  get toolSettings(): ToolSettings {
    const { settings, classValue } = this.#options;
    return {
      tool: settings.tool,
      radiusPx: settings.radiusPx(this.view.scale),
      classIndex: classValue(),
      isSubtracting: this.isSubtracting,
      closeWithinPx: closeWithinPx / this.view.scale,
    };
  }

  /** Pixels of the labels look different now. */
  invalidate(rect: Rect): void {
    this.#classes.invalidate(rect);
    if (this.#options.editor.hasProposal) this.#proposal.invalidate(rect);
    this.#drawSoon();
  }

  setStyle(colors: ClassColors, isOutline: boolean): void {
    this.#classes.setStyle(colors, isOutline);
    this.#proposal.setStyle(colors, isOutline);
    this.#drawSoon();
  }

  /** Loads what is in view, e.g. a proposal that has come. */
  refreshTiles(): void {
    this.#shownView = undefined;
    this.#drawSoon();
  }

  /** Draws the cursor again, e.g. when the brush has another size. */
  refreshCursor(): void {
    this.#cursorSoon();
  }

  dispose(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#classes.dispose();
    this.#proposal.dispose();
    this.#picture.dispose();
  }

  get #image() {
    return this.#options.editor.grid;
  }

  #move(view: View): void {
    this.#isFitted = false;
    this.view = view;
    this.#drawSoon();
  }

  #cursorStep(step: 'brush' | 'pixel' | 'far'): number {
    if (step === 'pixel') return 1;
    const { tool } = this.#options.settings;
    const isBrush = tool === 'brush' || tool === 'eraser';
    const near = isBrush ? this.toolSettings.radiusPx : 16 / this.view.scale;
    return Math.max(1, near * (step === 'far' ? 5 : 1));
  }

  #cursorSoon(): void {
    this.#isCursorStale = true;
    // Cross and polygon follow the cursor; the circle moves by itself.
    const { gesture } = this.#options.editor;
    if (this.isKeyboard || gesture.type === 'polygon') this.#isOverlayStale = true;
    this.#drawSoon();
  }

  #drawSoon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  #draw(): void {
    const { view } = this;
    if (view.widthPx === 0 || view.heightPx === 0) return;
    if (this.#shownView !== view) {
      this.#shownView = view;
      this.#isOverlayStale = true;
      this.#isCursorStale = true;
      this.#isPictureStale = true;
      this.#showTiles(view);
    }
    if (this.#isPictureStale) this.#drawPicture(view);
    const areLabelsComplete = this.#classes.draw(view);
    const hasProposal = this.#options.editor.hasProposal;
    const isProposalComplete = !hasProposal || this.#proposal.draw(view);
    if (this.#isCursorStale) this.#placeCursor(view);
    if (this.#isOverlayStale) this.#drawOverlay(view);
    if (!areLabelsComplete || !isProposalComplete) this.#drawSoon();
  }

  #drawPicture(view: View): void {
    this.#isPictureStale = false;
    const { canvas } = this.#pictureContext;
    this.#pictureContext.clearRect(0, 0, canvas.width, canvas.height);
    this.#picture.draw(this.#pictureContext, view, 1);
  }

  #drawOverlay(view: View): void {
    this.#isOverlayStale = false;
    const { editor, colorOf, classValue } = this.#options;
    const { cursor, isKeyboard } = this;
    const color = colorOf(classValue());
    drawOverlay(this.#overlay, view, { gesture: editor.gesture, cursor, isKeyboard, color });
  }

  #placeCursor(view: View): void {
    this.#isCursorStale = false;
    this.readout = this.#readoutAt(this.cursor);
    const { circle, settings } = this.#options;
    const isBrush = settings.tool === 'brush' || settings.tool === 'eraser';
    const isShown = isBrush && this.cursor !== undefined && !this.isPanning;
    circle.hidden = !isShown;
    if (!isShown || this.cursor === undefined) return;
    const { x, y } = toScreen(view, this.cursor);
    const radius = Math.max(1.5, settings.radiusPx(view.scale) * view.scale);
    circle.style.width = `${2 * radius}px`;
    circle.style.height = `${2 * radius}px`;
    circle.style.transform = `translate(${x - radius}px, ${y - radius}px)`;
  }

  #readoutAt(at: Point | undefined): Stage['readout'] {
    if (at === undefined || !isInside(this.#image, at)) return undefined;
    const { store } = this.#options.editor;
    return { at, value: store.valueAt(Math.floor(at.x), Math.floor(at.y)) };
  }

  /** Loads the labels that are in view. */
  #showTiles(view: View): void {
    const { editor } = this.#options;
    const end = toImage(view, { x: view.widthPx, y: view.heightPx });
    const tiles = tilesIn(editor.grid, {
      left: Math.floor(view.left),
      top: Math.floor(view.top),
      right: Math.ceil(end.x),
      bottom: Math.ceil(end.y),
    });
    if (tiles.length > tilesShownAtMost) return;
    editor.store.show(tiles);
    if (editor.hasProposal) editor.proposal.show(tiles);
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This window has no 2D canvas');
  return context;
}
