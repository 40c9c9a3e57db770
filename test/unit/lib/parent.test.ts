import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { runProbe } from '../../../src-main/graph/device-process.ts';
import { connectParent, type ParentPort } from '../../../src-main/lib/parent.ts';
import { isRelayed, ProcessRelay } from '../../../src-main/lib/process-relay.ts';
import { programEntries } from '../../../src-main/lib/program-entries.ts';

/** Both ends of a utility process's channel; messages are copied, as Electron does. */
class Channel extends EventEmitter<{ message: [{ readonly data: unknown }] }> {
  readonly received: unknown[] = [];
  onReceive: (message: unknown) => void = (message) => this.received.push(message);

  postMessage(message: unknown): void {
    const copy: unknown = structuredClone(message);
    setImmediate(() => this.onReceive(copy));
  }

  toChild(message: unknown): void {
    const data: unknown = structuredClone(message);
    setImmediate(() => this.emit('message', { data }));
  }
}

test('a process with a parent port talks over it and starts others through its parent', async () => {
  const channel = new Channel();
  const port: ParentPort = channel;
  const parent = connectParent(port);
  const heard: unknown[] = [];
  parent.onMessage((message) => heard.push(message));
  await parent.send({ type: 'ready' });
  channel.toChild({ type: 'pause' });
  await expect.poll(() => heard).toEqual([{ type: 'pause' }]);
  expect(channel.received).toEqual([{ type: 'ready' }]);
});

test('main starts, for a process that cannot, what that asks for by name', async () => {
  const { start, channel, relay } = fakeMain();
  channel.onReceive = (message) => {
    expect(isRelayed(message)).toBe(true);
    relay.receive(message);
  };
  connectParent(channel).onMessage(() => undefined);
  const report = await runProbe('cpu');
  expect(JSON.stringify(report)).toContain('exit code 3');
  expect(start).toEqual([{ entry: programEntries.deviceProbe.href, words: ['cpu'] }]);
});

test('a message about any other program is refused', () => {
  const { relay } = fakeMain();
  const wanted = { type: 'process-start', number: 1, program: '/bin/sh', words: [] };
  expect(() => relay.receive(wanted)).toThrow();
  expect(isRelayed({ type: 'progress' })).toBe(false);
});

/** Main as Electron has it, with processes that end at once. */
function fakeMain() {
  const start: { readonly entry: string; readonly words: readonly string[] }[] = [];
  const channel = new Channel();
  const relay = new ProcessRelay(
    ({ entry, arguments: words = [], onMessage }) => {
      start.push({ entry: entry.href, words });
      onMessage({ type: 'odd' });
      return {
        exited: Promise.resolve({ code: 3, signal: null, lastLines: ['no driver'] }),
        send: () => undefined,
        kill: () => undefined,
      };
    },
    (message) => channel.toChild(message),
  );
  return { start, channel, relay };
}
