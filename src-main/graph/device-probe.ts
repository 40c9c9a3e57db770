/**
 * The process that tries one device: takes the device's name, answers with one message. A crash or
 * a hang in here is seen by the parent.
 */
import { defined, messageOf } from '../lib/errors.ts';
import { connectParent } from '../lib/parent.ts';
import { DEVICE_NAMES } from './device-report.ts';
import { measureDevice } from './device-speed.ts';
import { deviceNamed } from './devices.ts';

async function answer(): Promise<object> {
  try {
    const name = DEVICE_NAMES.find((known) => known === process.argv[2]);
    return { type: 'measured', ...(await measureDevice(deviceNamed(defined(name, 'device')))) };
  } catch (error) {
    return { type: 'failed', message: messageOf(error) };
  }
}

await connectParent().send(await answer());
process.exit(0);
