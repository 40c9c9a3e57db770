import { notLabelled, type Point } from './grid.ts';
import type { Segment } from './paint.ts';

export const tools = ['brush', 'eraser', 'polygon', 'fill', 'pick', 'pan'] as const;
export type Tool = (typeof tools)[number];

/** The letter that chooses a tool. */
export const toolKeys: Readonly<Record<string, Tool>> = {
  b: 'brush',
  e: 'eraser',
  p: 'polygon',
  f: 'fill',
  i: 'pick',
  h: 'pan',
};

/** What the hand is doing between two events. */
export type Gesture =
  | { readonly type: 'none' }
  | {
      readonly type: 'stroke';
      readonly value: number;
      readonly last: Point;
      /** Of the brush at the last point. */
      readonly radiusPx: number;
    }
  | { readonly type: 'polygon'; readonly corners: readonly Point[]; readonly value: number };

export const noGesture: Gesture = { type: 'none' };

/** Everything a gesture depends on beside the event. */
export interface ToolSettings {
  readonly tool: Tool;
  readonly radiusPx: number;
  /** The class to paint with. */
  readonly classIndex: number;
  /** Alt is held: take away instead of adding. */
  readonly isSubtracting: boolean;
  /** How near a click must come to the first corner of a polygon to close it. */
  readonly closeWithinPx: number;
}

export type ToolEvent =
  | { readonly type: 'press'; readonly at: Point }
  | { readonly type: 'move'; readonly through: readonly Point[] }
  | { readonly type: 'release' }
  | { readonly type: 'confirm' }
  | { readonly type: 'back' }
  | { readonly type: 'cancel' };

export type ToolAction =
  | { readonly type: 'paint'; readonly segment: Segment; readonly value: number }
  | { readonly type: 'polygon'; readonly corners: readonly Point[]; readonly value: number }
  | { readonly type: 'fill'; readonly at: Point; readonly value: number }
  | { readonly type: 'pick'; readonly at: Point }
  /** The stroke is complete. */
  | { readonly type: 'end' }
  /** What the stroke painted is to be undone. */
  | { readonly type: 'undo' };

export interface ToolResult {
  readonly gesture: Gesture;
  readonly actions: readonly ToolAction[];
}

/** What an event does with the chosen tool; panning is the camera's. */
export function useTool(gesture: Gesture, event: ToolEvent, settings: ToolSettings): ToolResult {
  switch (gesture.type) {
    case 'none':
      return event.type === 'press' ? press(event.at, settings) : { gesture, actions: [] };
    case 'stroke':
      return continueStroke(gesture, event, settings);
    case 'polygon':
      return continuePolygon(gesture, event, settings);
  }
}

/** The class number that the tool paints: the eraser's, and any with Alt, is "not labelled". */
export function paintedValue(settings: ToolSettings): number {
  return settings.tool === 'eraser' || settings.isSubtracting ? notLabelled : settings.classIndex;
}

function press(at: Point, settings: ToolSettings): ToolResult {
  const value = paintedValue(settings);
  switch (settings.tool) {
    case 'brush':
    case 'eraser': {
      const segment = { from: at, to: at, radiusPx: settings.radiusPx };
      const gesture: Gesture = { type: 'stroke', value, last: at, radiusPx: settings.radiusPx };
      return { gesture, actions: [{ type: 'paint', segment, value }] };
    }
    case 'polygon':
      return { gesture: { type: 'polygon', corners: [at], value }, actions: [] };
    case 'fill':
      return { gesture: noGesture, actions: [{ type: 'fill', at, value }] };
    case 'pick':
      return { gesture: noGesture, actions: [{ type: 'pick', at }] };
    case 'pan':
      return { gesture: noGesture, actions: [] };
  }
}

function continueStroke(
  stroke: Extract<Gesture, { type: 'stroke' }>,
  event: ToolEvent,
  { radiusPx }: ToolSettings,
): ToolResult {
  const { value } = stroke;
  switch (event.type) {
    case 'move': {
      let { last } = stroke;
      const actions: ToolAction[] = [];
      for (const to of event.through) {
        const isContinued = radiusPx === stroke.radiusPx;
        actions.push({ type: 'paint', segment: { from: last, to, radiusPx, isContinued }, value });
        last = to;
      }
      return { gesture: { ...stroke, last, radiusPx }, actions };
    }
    case 'release':
    case 'confirm':
      return { gesture: noGesture, actions: [{ type: 'end' }] };
    case 'cancel':
      return { gesture: noGesture, actions: [{ type: 'end' }, { type: 'undo' }] };
    case 'press':
    case 'back':
      return { gesture: stroke, actions: [] };
  }
}

function continuePolygon(
  polygon: Extract<Gesture, { type: 'polygon' }>,
  event: ToolEvent,
  { closeWithinPx }: ToolSettings,
): ToolResult {
  const { corners } = polygon;
  switch (event.type) {
    case 'press':
      if (closes(corners, event.at, closeWithinPx)) return closePolygon(polygon);
      return { gesture: { ...polygon, corners: [...corners, event.at] }, actions: [] };
    case 'confirm':
      return corners.length < 3 ? { gesture: polygon, actions: [] } : closePolygon(polygon);
    case 'back': {
      const left = corners.slice(0, -1);
      const gesture = left.length === 0 ? noGesture : { ...polygon, corners: left };
      return { gesture, actions: [] };
    }
    case 'cancel':
      return { gesture: noGesture, actions: [] };
    case 'move':
    case 'release':
      return { gesture: polygon, actions: [] };
  }
}

/** A third or later corner on the first one closes; so does setting one corner twice. */
function closes(corners: readonly Point[], at: Point, withinPx: number): boolean {
  if (corners.length < 3) return false;
  const isNear = (corner: Point | undefined): boolean =>
    corner !== undefined && Math.hypot(corner.x - at.x, corner.y - at.y) <= withinPx;
  return isNear(corners[0]) || isNear(corners.at(-1));
}

function closePolygon(polygon: Extract<Gesture, { type: 'polygon' }>): ToolResult {
  const { corners, value } = polygon;
  return { gesture: noGesture, actions: [{ type: 'polygon', corners, value }, { type: 'end' }] };
}
