import { resolve } from 'node:path';
import { defineConfig } from 'electron-vite';
import windowConfig from './vite.config.ts';

const root = import.meta.dirname;
/** Where everything goes; tests build into a folder of their own. */
const out = process.env['DECON_OUT_DIR'] ?? resolve(root, 'out');

/** The app in Electron: main and its processes as ES modules, preload as one CommonJS file. */
export default defineConfig({
  main: {
    build: {
      outDir: resolve(out, 'main'),
      target: 'node24',
      // lib/program-entries.ts finds resources and entries from the folder of any chunk.
      rolldownOptions: {
        input: {
          index: resolve(root, 'src-main/app/electron/main.ts'),
          job: resolve(root, 'src-main/jobs/entry.ts'),
          'device-probe': resolve(root, 'src-main/graph/device-probe.ts'),
          pictures: resolve(root, 'src-main/app/pictures/process.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: 'part-[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: resolve(out, 'preload'),
      // The sandbox gives preload nothing but electron.
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: resolve(root, 'src-main/app/electron/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    ...windowConfig,
    build: {
      ...windowConfig.build,
      outDir: resolve(out, 'renderer'),
      rolldownOptions: { input: resolve(root, 'src-renderer/index.html') },
    },
  },
});
