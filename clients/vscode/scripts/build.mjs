// Bundles the extension (or, with --tests, its unit tests) with esbuild.
import { readdirSync, rmSync } from 'node:fs';
import { context, build } from 'esbuild';

const has = (flag) => process.argv.includes(flag);
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
  sourcemap: has('--production') ? false : 'inline',
  minify: has('--production'),
  legalComments: 'none',
};

if (has('--tests')) {
  rmSync('out/test', { recursive: true, force: true });
  const tests = readdirSync('test').filter((name) => name.endsWith('.test.ts'));
  await build({ ...common, entryPoints: tests.map((name) => `test/${name}`), outdir: 'out/test' });
} else {
  const extension = {
    ...common,
    // The language client is a bundle of its own, which is loaded after the activation.
    entryPoints: { extension: 'src/extension.ts', connection: 'src/server/connection.ts' },
    outdir: 'dist',
    external: ['vscode', './connection.js'],
    supported: { 'dynamic-import': false },
    // The modules, not the UMD wrappers, whose requires a bundler cannot follow.
    mainFields: ['module', 'main'],
  };
  if (has('--watch')) await (await context(extension)).watch();
  else await build(extension);
}
