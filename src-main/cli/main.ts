import { AppError } from '../lib/errors.ts';
import { openLog, userLogFolder } from '../lib/log.ts';
import { appVersion } from '../lib/version.ts';
import { columns } from './command.ts';
import { commands } from './commands.ts';
import { createJsonOutput, createTextOutput, exitCodes, type Output } from './output.ts';

const window = '"decon serve" opens the app in a browser; "npm start" opens its own window.';

// Long work listens to Ctrl-C itself; whatever does not, ends at once and as cancelled.
process.on('SIGINT', () => {
  if (process.listenerCount('SIGINT') === 1) process.exit(exitCodes.cancelled);
});
process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code: 0 done, 2 bad usage or input, 3 cancelled, 1 bug */
async function main(argv: readonly string[]): Promise<number> {
  const output = argv.includes('--json') ? createJsonOutput() : createTextOutput();
  try {
    openLog(process.env['DECON_LOG_DIR'] ?? userLogFolder());
    await dispatch(argv, output);
    return exitCodes.done;
  } catch (error) {
    return output.failure(error);
  }
}

async function dispatch(argv: readonly string[], output: Output): Promise<void> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === 'help') return output.text(overview());
  if (name === '--version') return output.text(appVersion());
  const command = commands.find((known) => known.name === name);
  if (command === undefined) {
    throw new AppError(
      'usage.unknown-command',
      `There is no command "${name}". "decon --help" lists them.`,
    );
  }
  await command.execute(rest, output);
}

function overview(): string {
  return [
    `decon ${appVersion()}`,
    window,
    '',
    'Usage: decon COMMAND [options]',
    '',
    columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    '"decon COMMAND --help" explains one command. Exit codes: 0 done, 1 bug, 2 bad usage or input,',
    '3 cancelled.',
  ].join('\n');
}
