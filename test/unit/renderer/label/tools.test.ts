import { describe, expect, it } from 'vitest';
import { notLabelled } from '../../../../src-renderer/screens/label/grid.ts';
import {
  noGesture,
  useTool,
  type Gesture,
  type ToolAction,
  type ToolEvent,
  type ToolSettings,
} from '../../../../src-renderer/screens/label/tools.ts';

const brush: ToolSettings = {
  tool: 'brush',
  radiusPx: 3,
  classIndex: 2,
  isSubtracting: false,
  closeWithinPx: 5,
};
const polygon: ToolSettings = { ...brush, tool: 'polygon' };
const at = (x: number, y: number) => ({ x, y });

function run(settings: ToolSettings, events: readonly ToolEvent[]) {
  let gesture: Gesture = noGesture;
  const actions: ToolAction[] = [];
  for (const event of events) {
    const result = useTool(gesture, event, settings);
    gesture = result.gesture;
    actions.push(...result.actions);
  }
  return { gesture, actions };
}

describe('useTool', () => {
  it('paints a stroke through every point and ends it', () => {
    const { gesture, actions } = run(brush, [
      { type: 'press', at: at(1, 1) },
      { type: 'move', through: [at(2, 2), at(5, 5)] },
      { type: 'release' },
    ]);
    const next = { radiusPx: 3, isContinued: true };
    expect(gesture).toEqual(noGesture);
    expect(actions).toEqual([
      { type: 'paint', segment: { from: at(1, 1), to: at(1, 1), radiusPx: 3 }, value: 2 },
      { type: 'paint', segment: { ...next, from: at(1, 1), to: at(2, 2) }, value: 2 },
      { type: 'paint', segment: { ...next, from: at(2, 2), to: at(5, 5) }, value: 2 },
      { type: 'end' },
    ]);
  });

  it('takes away with the eraser and with Alt, for the whole stroke', () => {
    const press: ToolEvent = { type: 'press', at: at(1, 1) };
    const valueOf = (settings: ToolSettings) => run(settings, [press]).actions[0];
    expect(valueOf({ ...brush, tool: 'eraser' })).toMatchObject({ value: notLabelled });
    const started = useTool(noGesture, press, { ...brush, isSubtracting: true }).gesture;
    const later = useTool(started, { type: 'move', through: [at(2, 2)] }, brush);
    expect(later.actions[0]).toMatchObject({ value: notLabelled });
  });

  it('undoes a stroke that is cancelled', () => {
    const { actions } = run(brush, [{ type: 'press', at: at(1, 1) }, { type: 'cancel' }]);
    expect(actions.slice(1)).toEqual([{ type: 'end' }, { type: 'undo' }]);
  });

  const corners = [at(0, 0), at(50, 0), at(50, 50)];
  const presses = corners.map((corner): ToolEvent => ({ type: 'press', at: corner }));
  const closing: readonly (readonly [string, ToolEvent])[] = [
    ['its first corner', { type: 'press', at: at(3, 3) }],
    ['its last corner again', { type: 'press', at: at(50, 51) }],
    ['Enter', { type: 'confirm' }],
  ];
  it.each(closing)('closes a polygon on %s', (_, event) => {
    const { gesture, actions } = run(polygon, [...presses, event]);
    expect(gesture).toEqual(noGesture);
    expect(actions).toEqual([{ type: 'polygon', corners, value: 2 }, { type: 'end' }]);
  });

  it('takes corners back one by one and drops a polygon on Esc', () => {
    expect(run(polygon, [...presses, { type: 'back' }]).gesture).toMatchObject({
      corners: corners.slice(0, 2),
    });
    const back: ToolEvent = { type: 'back' };
    expect(run(polygon, [...presses, back, back, back]).gesture).toEqual(noGesture);
    expect(run(polygon, [...presses, { type: 'cancel' }])).toEqual({
      gesture: noGesture,
      actions: [],
    });
  });

  it('does not close a polygon of two corners', () => {
    const { gesture } = run(polygon, [...presses.slice(0, 2), { type: 'confirm' }]);
    expect(gesture.type).toBe('polygon');
  });

  it('fills and picks where it is pressed', () => {
    const press: ToolEvent = { type: 'press', at: at(4, 5) };
    expect(run({ ...brush, tool: 'fill' }, [press]).actions).toEqual([
      { type: 'fill', at: at(4, 5), value: 2 },
    ]);
    expect(run({ ...brush, tool: 'pick' }, [press]).actions).toEqual([
      { type: 'pick', at: at(4, 5) },
    ]);
    expect(run({ ...brush, tool: 'pan' }, [press]).actions).toEqual([]);
  });
});
