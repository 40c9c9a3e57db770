/** The process of one job. */
import { openLog, userLogFolder } from '../lib/log.ts';
import { handlers } from './handlers.ts';
import { serveJob } from './serve.ts';

openLog(process.env['DECON_LOG_DIR'] ?? userLogFolder());
serveJob(handlers);
