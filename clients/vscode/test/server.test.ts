import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Backoff } from '../src/server/backoff';
import { findServer } from '../src/server/finding';
import { Machine } from '../src/server/machine';
import type { InstallError } from '../src/server/ownServer';
import { OwnServer, type Order, type Shipped } from '../src/server/ownServer';
import { findPython } from '../src/server/pythons';

function shipped(name: string): Shipped {
  return { wheel: `/shipped/${name}.whl`, locked: '/shipped/requirements.txt' };
}

const none = (): Promise<undefined> => Promise.resolve(undefined);
let root: string;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'quotaline-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function program(folder: string, name: string, script = 'exit 0'): Promise<string> {
  const file = path.join(root, folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

describe('finding the server', { skip: process.platform === 'win32' }, () => {
  test('the settings go before the PATH, the PATH before the usual place, and that before our own', async () => {
    const chosen = await program('chosen', 'my-quotaline');
    const onPath = await program('bin', 'quotaline');
    const usual = await program('home/.local/bin', 'quotaline');
    const own = { command: '/own/python', args: ['-m', 'quotaline', 'serve'], origin: 'own' };
    const look = async (serverPath: string, PATH: string, home: string): Promise<unknown> => {
      const found = await findServer({
        serverPath,
        environ: { PATH },
        machine: new Machine(process.platform, home),
        own: () => Promise.resolve(own),
      });
      return found.kind === 'found' ? found.program.command : found;
    };
    const [bin, home] = [path.join(root, 'bin'), path.join(root, 'home')];
    assert.equal(await look(chosen, bin, home), chosen);
    assert.equal(await look('', bin, home), onPath);
    assert.equal(await look('', '/nowhere', home), usual);
    assert.equal(await look('', '/nowhere', '/nowhere'), '/own/python');
    assert.equal(await look('~/.local/bin/quotaline', '', home), usual);
  });

  test('a chosen program that is not there is not replaced by another', async () => {
    await program('bin', 'quotaline');
    const around = {
      serverPath: '/not/there',
      environ: { PATH: path.join(root, 'bin') },
      machine: new Machine(process.platform, root),
      own: none,
    };
    assert.deepEqual(await findServer(around), {
      kind: 'wrongPath',
      problem: 'There is no program at /not/there.',
    });
  });

  test('folders, plain files and relative places on the PATH are no programs', async () => {
    await mkdir(path.join(root, 'odd', 'quotaline'), { recursive: true });
    await writeFile(path.join(root, 'plain'), '');
    assert.equal(
      await new Machine().which('quotaline', { PATH: `${path.join(root, 'odd')}:.:bin` }),
      undefined,
    );
    assert.equal(await new Machine().which('plain', { PATH: root }), undefined);
  });
});

test('the pause between starts doubles up to five minutes, and a good run forgives', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 11 }, () => backoff.failed(100).delay / 1000);
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  assert.deepEqual(backoff.failed(120_000), { delay: 1000, failures: 1 });
  assert.deepEqual(backoff.failed(100), { delay: 2000, failures: 2 });
  backoff.reset();
  assert.deepEqual(backoff.failed(100), { delay: 1000, failures: 1 });
});

describe('our own server', { skip: process.platform === 'win32' }, () => {
  const VENV = `
if [ "$2" = "-c" ]; then echo "python 3 12"; exit 0; fi
if [ "$2" = "venv" ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit 0; fi
echo "$@" >> "$(dirname "$0")/calls"
`;

  function order(folder: string, steps: string[] = [], signal = new AbortController().signal): Order {
    const environ = { PATH: `${path.join(root, folder)}:/usr/bin:/bin` };
    return { pythonPath: '', environ, signal, onStep: (step) => steps.push(step), onLine: () => undefined };
  }

  test('it is installed once, found again, and replaced when the extension is newer', async () => {
    await program('good', 'python3', VENV);
    const storage = path.join(root, 'storage');
    const first = new OwnServer(storage, '1.0.0', shipped('one'));
    assert.equal(await first.program(), undefined);
    assert.equal(await first.isOutdated(), false);
    const steps: string[] = [];
    await first.install(order('good', steps));
    assert.deepEqual(steps, ['making a Python environment', 'installing packages', 'trying the server']);
    const found = await first.program();
    assert.ok(found);
    assert.match(found.command, /storage\/1\.0\.0-[0-9a-f]{8}\/bin\/python$/);
    assert.deepEqual(found.args, ['-I', '-m', 'quotaline', 'serve']);
    const calls = await readFile(path.join(path.dirname(found.command), 'calls'), 'utf8');
    const [needed, own] = calls.split('\n').filter((call) => call.includes('pip install'));
    assert.match(needed ?? '', / --require-hashes --only-binary :all: -r \/shipped\/requirements\.txt$/);
    assert.match(own ?? '', / --no-index --no-deps \/shipped\/one\.whl$/);

    await first.install(order('nothing'));
    assert.deepEqual(await first.program(), found);

    const second = new OwnServer(storage, '1.1.0', shipped('two'));
    assert.equal(await second.isOutdated(), true);
    await second.install(order('good'));
    assert.match((await second.program())?.command ?? '', /storage\/1\.1\.0-/);
    const third = new OwnServer(storage, '1.2.0', shipped('three'));
    await third.install(order('good'));
    const left = (await readdir(storage))
      .filter((name) => name !== 'current.json')
      .map((name) => name.slice(0, 5));
    assert.deepEqual(left.sort(), ['1.1.0', '1.2.0']);
  });

  test('two windows install one after the other, and only once', async () => {
    await program('slow', 'python3', VENV.replace('mkdir', 'sleep 0.3; mkdir'));
    const storage = path.join(root, 'shared');
    const windows = [1, 2].map(() => new OwnServer(storage, '1.0.0', shipped('quotaline')));
    await Promise.all(windows.map((window) => window.install(order('slow'))));
    assert.equal((await readdir(storage)).length, 2);
  });

  test('an installation that fails leaves nothing behind', async () => {
    await program('broken', 'python3', `${VENV}\nexit 1`);
    const storage = path.join(root, 'failed');
    const own = new OwnServer(storage, '1.0.0', shipped('quotaline'));
    await assert.rejects(
      own.install(order('broken')),
      (error) => (error as InstallError).lack === 'installFailed',
    );
    assert.deepEqual(await readdir(storage), []);
    assert.equal(await own.program(), undefined);
  });

  test('no Python, an old Python and a stopped installation are told apart', async () => {
    const own = new OwnServer(path.join(root, 'none'), '1.0.0', shipped('quotaline'));
    const bare = { ...order('x'), environ: { PATH: path.join(root, 'empty') } };
    await assert.rejects(own.install(bare), /None was found/);
    await program('old', 'python3', 'echo "python 3 9"');
    const old = { ...bare, environ: { PATH: path.join(root, 'old') } };
    await assert.rejects(own.install(old), /only Python 3\.9, which is too old/);
    await program('hanging', 'python3', VENV.replace('mkdir', 'exec sleep 60; mkdir'));
    const stop = new AbortController();
    const installing = own.install({
      ...order('hanging', [], stop.signal),
      onStep: () =>
        setTimeout(() => {
          stop.abort();
        }, 50),
    });
    await assert.rejects(installing, /was stopped/);
  });

  test('a pointer to something else is no installation', async () => {
    const storage = path.join(root, 'pointer');
    await mkdir(storage);
    const own = new OwnServer(storage, '1.0.0', shipped('quotaline'));
    for (const content of ['', '[]', '{"version": "1.0.0", "folder": "../.."}', '{"version": 1}']) {
      await writeFile(path.join(storage, 'current.json'), content);
      assert.equal(await own.program(), undefined);
    }
  });

  test('uv is used where there is one', async () => {
    await program(
      'uv',
      'uv',
      'if [ "$1" = venv ]; then mkdir -p "$5/bin"; echo "#!/bin/sh" > "$5/bin/python"; chmod +x "$5/bin/python"; fi',
    );
    const own = new OwnServer(path.join(root, 'by-uv'), '1.0.0', shipped('quotaline'));
    await own.install(order('uv'));
    assert.notEqual(await own.program(), undefined);
  });
});

test('the first Python that is new enough is taken', { skip: process.platform === 'win32' }, async () => {
  await program('pythons', 'python3', 'echo "python 3 9"');
  const good = await program('pythons', 'python3.12', 'echo "python 3 12"');
  const options = {
    cwd: root,
    environ: { PATH: path.join(root, 'pythons') },
    signal: new AbortController().signal,
  };
  assert.deepEqual(await findPython('', options, new Machine()), {
    kind: 'found',
    python: { command: good, args: [] },
  });
  assert.deepEqual(await findPython('/not/there', options, new Machine()), {
    kind: 'none',
    problem: 'There is no program at /not/there.',
  });
  const byName = await findPython('python3.12', options, new Machine());
  assert.deepEqual(byName, { kind: 'found', python: { command: good, args: [] } });
});
