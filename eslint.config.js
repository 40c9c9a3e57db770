import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

/** What each folder of src-main may import beside itself and lib/. The order is acyclic. */
const layers = {
  lib: [],
  graph: [],
  nn: ['graph'],
  project: [],
  datasets: ['project'],
  pretrain: ['nn', 'graph', 'project', 'datasets'],
  inference: ['pretrain', 'nn', 'graph', 'project', 'datasets'],
  finetune: ['inference', 'pretrain', 'nn', 'graph', 'project', 'datasets'],
  jobs: ['finetune', 'inference', 'pretrain', 'nn', 'graph', 'project', 'datasets'],
  cli: [
    'app',
    'contract',
    'jobs',
    'finetune',
    'inference',
    'pretrain',
    'nn',
    'graph',
    'project',
    'datasets',
  ],
  contract: [],
  app: [
    'contract',
    'jobs',
    'finetune',
    'inference',
    'pretrain',
    'nn',
    'graph',
    'project',
    'datasets',
  ],
};

/** Heavy modules and the only folders that may load them. */
const doorways = [
  { modules: ['electron', 'electron/*'], folders: ['app'] },
  { modules: ['better-sqlite3'], folders: ['project'] },
  { modules: ['sharp'], folders: ['datasets'] },
  {
    modules: ['onnxruntime-node', '@tensorflow/tfjs-node*', '@tensorflow/tfjs-backend-*'],
    folders: ['graph'],
  },
  {
    modules: ['@tensorflow/tfjs-core'],
    folders: ['graph', 'nn', 'pretrain', 'inference', 'finetune'],
  },
];

const reproducible = ['graph', 'nn', 'pretrain', 'finetune'];

function folderRules(folder, allowed) {
  const forbidden = Object.keys(layers).filter(
    (other) => other !== folder && other !== 'lib' && !allowed.includes(other),
  );
  const closed = doorways.filter((doorway) => !doorway.folders.includes(folder));
  const patterns = closed.map((doorway) => ({
    group: doorway.modules,
    message: `Only ${doorway.folders.join(', ')} may load this.`,
  }));
  if (forbidden.length > 0) {
    patterns.push({
      regex: `^(?:\\.\\./)+(?:${forbidden.join('|')})/`,
      message: `${folder}/ may import ${['itself', 'lib', ...allowed].join(', ')} only.`,
    });
  }
  return {
    files: [`src-main/${folder}/**`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

export default defineConfig([
  { ignores: ['node_modules/', 'out/', 'out-test*/', 'dist/', 'coverage/', '.svelte-check/'] },
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      'no-undef': 'off', // the type checker does this
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowArray: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      // Sets and maps that no template reads need no proxies.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    // The linter does not know the types of a component's properties; svelte-check does.
    files: ['**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  ...Object.entries(layers).map(([folder, allowed]) => folderRules(folder, allowed)),
  {
    files: ['src-renderer/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: 'src-main/(?!contract/)',
              message: 'The window may import src-main/contract/ only.',
            },
            { group: ['node:*', 'electron'], message: 'The window runs in a sandbox.' },
          ],
        },
      ],
    },
  },
  {
    files: reproducible.map((folder) => `src-main/${folder}/**`),
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use lib/random.ts with a stored seed.' },
        { object: 'Date', property: 'now', message: 'Take a clock as an argument.' },
      ],
    },
  },
  { files: ['src-main/cli/**', 'test/**', 'resources/bin/**'], rules: { 'no-console': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
]);
