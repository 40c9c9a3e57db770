import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Device } from '../../src-main/graph/types.ts';
import { AppError } from '../../src-main/lib/errors.ts';
import { checkFile } from './check-file.ts';
import { describe } from './compare.ts';

const USAGE = `npm run parity -- FILE... [--json] [--device onnxruntime|reference]
                              [--precision single|half]

Runs the training step that a reference file describes and compares every tensor it holds.
Half precision has tolerances of its own.
Exit code 0: all within tolerance, 1: something is not, 2: the file cannot be used.`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      device: { type: 'string', default: 'onnxruntime' },
      precision: { type: 'string', default: 'single' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || positionals.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const executor = values.device === 'reference' ? 'reference' : 'onnxruntime';
  const device: Device = { executor, provider: 'cpu' };
  const precision = values.precision === 'half' ? 'half' : 'single';
  let code = 0;
  // npm starts scripts in the package's folder and names the caller's in INIT_CWD.
  const caller = process.env['INIT_CWD'] ?? process.cwd();
  for (const path of positionals.map((file) => resolve(caller, file))) {
    try {
      const result = await checkFile(path, device, precision);
      console.log(values.json ? JSON.stringify(result) : describe(result));
      if (!result.passed) code = Math.max(code, 1);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      console.error(
        values.json ? JSON.stringify({ file: path, error: error.message }) : error.message,
      );
      code = 2;
    }
  }
  return code;
}
