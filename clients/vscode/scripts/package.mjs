// Makes dist/quotaline-VERSION.vsix: the bundle, the marketplace's files, the server's wheel, and what the wheel needs with
// versions and hashes.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const repository = fileURLToPath(new URL('../../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${here}/package.json`, 'utf8'));
const wheel = `${here}/server/quotaline-${version}-py3-none-any.whl`;

function run(command, ...args) {
  execFileSync(command, args, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** `pip` or `uv`, whichever this machine has; both build with hatchling as pyproject.toml says. */
function buildWheel() {
  rmSync(`${here}/server`, { recursive: true, force: true });
  mkdirSync(`${here}/server`);
  const pip = ['-m', 'pip', 'wheel', '--quiet', '--disable-pip-version-check', '--no-deps', '--wheel-dir'];
  const ways = [
    ['uv', 'build', '--quiet', '--wheel', '--out-dir', `${here}/server`, repository],
    [process.env.PYTHON ?? 'python3', ...pip, `${here}/server`, repository],
  ];
  const built = ways.some(([command, ...args]) => {
    try {
      run(command, ...args);
      return true;
    } catch {
      return false;
    }
  });
  if (!built || !existsSync(wheel)) {
    throw new Error(
      `the wheel of version ${version} was not built: ${readdirSync(`${here}/server`).join(', ') || 'nothing'}`,
    );
  }
}

buildWheel();
copyFileSync(`${repository}/requirements.txt`, `${here}/server/requirements.txt`);
mkdirSync(`${here}/dist`, { recursive: true });
run(
  process.execPath,
  `${here}/node_modules/@vscode/vsce/vsce`,
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--no-rewrite-relative-links',
  '--out',
  `dist/quotaline-${version}.vsix`,
);
