import type { DeviceName, DeviceReport } from '../../graph/device-report.ts';
import { deviceTitle, fastest, listDevices } from '../../graph/devices.ts';
import { defineCommand } from '../command.ts';
import { formatBytes, formatFigure, formatTable } from '../format.ts';
import { abortOnSignal } from '../signals.ts';

export const devices = defineCommand({
  name: 'devices',
  summary: 'Try every way to compute on this machine',
  details:
    'Each device runs a real forward and backward convolution in a process of its own. What does\n' +
    'not work says why. Nothing is downloaded.',
  options: {},
  examples: ['decon devices', 'decon devices --json'],
  run: async ({ output }) => {
    const onTry = (name: DeviceName): void => output.text(`Trying ${deviceTitle(name)}...`);
    const reports = await abortOnSignal((signal) => listDevices({ signal, onTry }));
    for (const { type, ...facts } of reports) {
      output.record('device', { works: type === 'works', ...facts });
    }
    const choice = fastest(reports);
    output.record('choice', { name: choice.name, message: choice.message });
    output.text(`\n${formatTable([['device', 'speed', 'hardware'], ...reports.map(rowOf)])}`);
    output.text(`\n${choice.message}`);
  },
});

function rowOf(report: DeviceReport): readonly string[] {
  if (report.type === 'unavailable') return [report.name, '-', report.reason];
  const { name, gigaflops, hardware, memoryBytes } = report;
  const memory = memoryBytes === undefined ? '' : `, ${formatBytes(memoryBytes)} of memory`;
  return [name, `${formatFigure(gigaflops)} GFLOP/s`, `${hardware}${memory}`];
}
