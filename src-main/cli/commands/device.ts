import type { DeviceName } from '../../graph/device-report.ts';
import { deviceTitle } from '../../graph/devices.ts';
import { installDevice, INSTALLABLE } from '../../graph/install.ts';
import { defineCommand, usageError } from '../command.ts';
import { formatFigure } from '../format.ts';
import { abortOnSignal } from '../signals.ts';

export const device = defineCommand({
  name: 'device',
  summary: 'Fetch the files of an optional device',
  details:
    'Runs the install script of the package, which downloads from outside the npm registry, and\n' +
    'tries the device. Nothing else in the program downloads anything.',
  arguments: [
    { name: 'ACTION', help: 'install' },
    { name: 'DEVICE', help: INSTALLABLE.join(' or ') },
  ],
  options: {},
  examples: ['decon device install cuda', 'decon device install tensorflow'],
  run: async ({ words: [action, wanted], output }) => {
    if (action !== 'install') throw usageError('device', `"${action}" is not "install".`);
    const name = INSTALLABLE.find((known) => known === wanted);
    if (name === undefined) {
      throw usageError('device', `"${wanted}" is not ${INSTALLABLE.join(' or ')}.`);
    }
    const onLine = (line: string): void => output.text(line);
    const onTry = (tried: DeviceName): void => output.text(`Trying ${deviceTitle(tried)}...`);
    const { type, ...facts } = await abortOnSignal((signal) =>
      installDevice(name, { signal, onLine, onTry }),
    );
    const title = deviceTitle(name);
    output.record('installed', { name });
    output.record('device', { works: type === 'works', ...facts });
    output.text(
      'reason' in facts
        ? `${title} is installed, but cannot be used yet. ${facts.reason}`
        : `${title} is installed and works: ${formatFigure(facts.gigaflops)} GFLOP/s on ${facts.hardware}.`,
    );
  },
});
