import { installDevice, INSTALLABLE } from '../../graph/install.ts';
import { defineCommand, usageError } from '../command.ts';
import { abortOnSignal } from '../signals.ts';

export const device = defineCommand({
  name: 'device',
  summary: 'Fetch the files of an optional device',
  details:
    'Runs the install script of the package, which downloads from outside the npm registry.\n' +
    'Nothing else in the program downloads anything.',
  arguments: [
    { name: 'ACTION', help: 'install' },
    { name: 'DEVICE', help: INSTALLABLE.join(' or ') },
  ],
  options: {},
  examples: ['decon device install tensorflow'],
  run: async ({ words: [action, wanted], output }) => {
    if (action !== 'install') throw usageError('device', `"${action}" is not "install".`);
    const name = INSTALLABLE.find((known) => known === wanted);
    if (name === undefined) {
      throw usageError('device', `"${wanted}" is not ${INSTALLABLE.join(' or ')}.`);
    }
    await abortOnSignal((signal) =>
      installDevice(name, { signal, onLine: (line) => output.text(line) }),
    );
    output.record('installed', { name });
    output.text(`${name} is installed. "decon devices" tries it.`);
  },
});
