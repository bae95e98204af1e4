/** Windows and macOS as they answer a program that looks for programs, on whatever system this runs. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findServer, type Found } from '../src/server/finding';
import { Machine, type Files } from '../src/server/machine';
import { OwnServer, type Order } from '../src/server/ownServer';
import { findPython } from '../src/server/pythons';
import { run, type Ended, type RunOptions } from '../src/server/running';

type Entry = 'program' | 'folder' | 'alias' | { readonly leadsTo: string };
type Answer = (
  command: string,
  args: readonly string[],
  options: RunOptions,
) => Promise<Partial<Ended>> | undefined;

function refused(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The file system of a machine with these files alone. */
function files(entries: Readonly<Record<string, Entry>>): Files {
  const entry = (file: string): Entry => {
    const found = entries[file];
    if (found === undefined) throw refused('ENOENT');
    return found;
  };
  const answer = <T>(make: () => T): Promise<T> =>
    new Promise((resolve) => {
      resolve(make());
    });
  return {
    access: (file) => answer(() => void entry(file)),
    stat: (file) =>
      answer(() => {
        const found = entry(file);
        if (found === 'alias') throw refused('EACCES');
        return { isFile: () => found !== 'folder' };
      }),
    lstat: (file) => answer(() => ({ isDirectory: () => entry(file) === 'folder' })),
    realpath: (file) =>
      answer(() => {
        const found = entry(file);
        return typeof found === 'object' ? found.leadsTo : file;
      }),
  };
}

const NOT_STARTED: Partial<Ended> = { code: undefined };

function machine(
  platform: NodeJS.Platform,
  home: string,
  entries: Readonly<Record<string, Entry>>,
  answer: Answer = () => undefined,
): Machine {
  return new Machine(platform, home, files(entries), async (command, args, options) => {
    const ended = (await answer(command, args, options)) ?? NOT_STARTED;
    return { code: ended.code, output: ended.output ?? '' };
  });
}

const HOME = "C:\\Users\\Jörg O'Brien $x";
const ALIASES = `${HOME}\\AppData\\Local\\Microsoft\\WindowsApps`;
const PYTHON_3_14 = { code: 0, output: 'python 3 14\r\n' };
const done = { code: 0 };
const signal = new AbortController().signal;

function options(environ: NodeJS.ProcessEnv): RunOptions {
  return { cwd: '/', environ, signal };
}

function looked(serverPath: string, on: Machine, environ: NodeJS.ProcessEnv = {}): Promise<Found> {
  return findServer({ serverPath, environ, machine: on, own: () => Promise.resolve(undefined) });
}

describe('a server on Windows', () => {
  const exe = `${HOME}\\bin\\quotaline.exe`;
  const windows = machine('win32', HOME, { [exe]: 'program', [`${HOME}\\bin\\quotaline`]: 'program' });
  const program = { command: exe, args: ['serve'] };

  for (const typed of [
    exe,
    `"${exe}"`,
    `${HOME}\\bin\\quotaline`,
    '~\\bin\\quotaline',
    '~/bin/quotaline.exe',
  ]) {
    test(`${typed} is its program`, async () => {
      assert.deepEqual(await looked(typed, windows), {
        kind: 'found',
        program: { ...program, origin: 'the settings' },
      });
    });
  }

  test('a batch file is refused with what to do', async () => {
    for (const typed of [`${HOME}\\quotaline.cmd`, `${HOME}\\quotaline.BAT`, 'quotaline.cmd']) {
      const found = await looked(typed, windows);
      assert.equal(found.kind, 'wrongPath');
      assert.match(found.problem, /is a batch file.*Name the \.exe/);
    }
  });

  test('the PATH has any letter case and may have quotes', async () => {
    const found = await looked('', windows, { pAtH: `;"${HOME}\\bin";` });
    assert.deepEqual(found, { kind: 'found', program: { ...program, origin: 'the PATH' } });
  });

  test('an app execution alias is a program, a folder is none', async () => {
    const store = machine('win32', HOME, {
      [`${ALIASES}\\quotaline.exe`]: 'alias',
      [`${ALIASES}\\python.exe`]: 'folder',
    });
    assert.equal(await store.which('quotaline', { Path: ALIASES }), `${ALIASES}\\quotaline.exe`);
    assert.equal(await store.which('python', { Path: ALIASES }), undefined);
  });
});

test('elsewhere a name is what it is', async () => {
  const linux = machine('linux', '/home/ada', { '/home/ada/quotaline.cmd': 'program' });
  const found = await looked('~/quotaline.cmd', linux);
  assert.equal(found.kind, 'found');
  assert.equal((await looked('~/quotaline', linux)).kind, 'wrongPath');
  assert.equal(linux.variable({ Path: '/bin' }, 'PATH'), undefined);
});

describe('a Python on Windows', () => {
  test('the one of the Store is found by its alias, whether or not the launcher is there', async () => {
    const alias = `${ALIASES}\\python.exe`;
    const store = machine('win32', HOME, { [alias]: 'alias' }, () => Promise.resolve(PYTHON_3_14));
    const found = await findPython('', options({ Path: ALIASES }), store);
    assert.deepEqual(found, { kind: 'found', python: { command: alias, args: [] } });
    const named = await findPython(`${ALIASES}\\python`, options({}), store);
    assert.deepEqual(named, found);
  });

  test('an alias that only offers the Store is none', async () => {
    const bare = machine('win32', HOME, { [`${ALIASES}\\python.exe`]: 'alias' }, () =>
      Promise.resolve({ code: 9009, output: 'Python was not found; run without arguments to install' }),
    );
    assert.deepEqual(await findPython('', options({ Path: ALIASES }), bare), { kind: 'none' });
  });

  test('a chosen batch file is refused with what to do', async () => {
    const found = await findPython('C:\\pyenv\\python.bat', options({}), machine('win32', HOME, {}));
    assert.equal(found.kind, 'none');
    assert.match(found.problem ?? '', /is a batch file/);
  });
});

describe("Apple's stand-in for Python", () => {
  const stub = '/usr/bin/python3';
  const entries: Record<string, Entry> = { [stub]: 'program', '/Users/ada/bin/python3': { leadsTo: stub } };
  const environ = { PATH: '/Users/ada/bin:/usr/bin' };
  const asked: string[] = [];
  const mac = (tools: boolean, more: Record<string, Entry> = {}): Machine =>
    machine('darwin', '/Users/ada', { ...entries, ...more }, (command, args) => {
      asked.push(command);
      if (command !== '/usr/bin/xcode-select') return Promise.resolve(PYTHON_3_14);
      assert.deepEqual(args, ['-p']);
      return Promise.resolve({ code: tools ? 0 : 2 });
    });

  test('it is never started without the command-line tools, also not by a link or when it is chosen', async () => {
    asked.length = 0;
    assert.deepEqual(await findPython('', options(environ), mac(false)), { kind: 'none' });
    const chosen = await findPython(stub, options(environ), mac(false));
    assert.equal(chosen.kind, 'none');
    assert.match(chosen.problem ?? '', /xcode-select --install/);
    assert.deepEqual([...new Set(asked)], ['/usr/bin/xcode-select']);
  });

  test('another Python is taken instead of it', async () => {
    const brewed = '/opt/homebrew/bin/python3.14';
    const found = await findPython(
      '',
      options({ PATH: `/usr/bin:/opt/homebrew/bin` }),
      mac(false, { [brewed]: 'program' }),
    );
    assert.deepEqual(found, { kind: 'found', python: { command: brewed, args: [] } });
  });

  test('it is a Python with the tools, and on any other system', async () => {
    const python = { command: stub, args: [] };
    const found = { kind: 'found', python };
    assert.deepEqual(await findPython('', options({ PATH: '/usr/bin' }), mac(true)), found);
    const linux = machine('linux', '/home/ada', { [stub]: 'program' }, () => Promise.resolve(PYTHON_3_14));
    assert.deepEqual(await findPython('', options({ PATH: '/usr/bin' }), linux), found);
  });
});

describe('an installation', () => {
  let storage: string;

  before(async () => {
    storage = await mkdtemp(path.join(tmpdir(), 'quotaline-'));
  });
  after(() => rm(storage, { recursive: true, force: true }));

  const order = (environ: NodeJS.ProcessEnv): Order => {
    return { pythonPath: '', environ, signal, onStep: () => undefined, onLine: () => undefined };
  };
  const own = (folder: string, on: Machine): OwnServer =>
    new OwnServer(path.join(storage, folder), '1.0.0', { wheel: 'a.whl', locked: 'a.txt' }, on);

  /** Make what an environment has. */
  async function environment(folder: string, place: string): Promise<Partial<Ended>> {
    const python = path.join(folder, place);
    await mkdir(path.dirname(python), { recursive: true });
    await writeFile(python, '');
    return done;
  }

  test('on Windows it has its programs in Scripts, and no variable of another Python in any letter case', async () => {
    const seen: NodeJS.ProcessEnv[] = [];
    const windows = machine(
      'win32',
      HOME,
      { [`${ALIASES}\\python.exe`]: 'alias' },
      (_, args, { environ }) => {
        seen.push(environ);
        if (args.includes('venv')) return environment(args.at(-1) ?? '', 'Scripts/python.exe');
        return Promise.resolve(args.includes('-c') ? PYTHON_3_14 : done);
      },
    );
    const server = own('windows', windows);
    await server.install(order({ Path: ALIASES, PythonPath: 'C:\\other', virtual_env: 'C:\\venv' }));
    const program = await server.program();
    assert.match(program?.command ?? '', /Scripts[/\\]python\.exe$/);
    assert.ok(seen.every((environ) => Object.keys(environ).join() === 'Path'));
  });

  test('a Python whose files the editor does not see says so and leaves nothing behind', async () => {
    const store = machine('win32', HOME, { [`${ALIASES}\\python.exe`]: 'alias' }, (_, args) =>
      Promise.resolve(args.includes('-c') ? PYTHON_3_14 : done),
    );
    await assert.rejects(
      own('store', store).install(order({ Path: ALIASES })),
      /Microsoft Store.*python\.org/,
    );
    assert.deepEqual(await readdir(path.join(storage, 'store')), []);
  });

  for (const [tools, wish] of [
    [false, 'only-managed'],
    [true, undefined],
  ] as const) {
    test(`uv takes ${tools ? 'any Python' : 'one of its own'} ${tools ? 'with' : 'without'} Apple's tools`, async () => {
      const wishes: (string | undefined)[] = [];
      const mac = machine(
        'darwin',
        '/Users/ada',
        { '/opt/bin/uv': 'program' },
        (command, args, { environ }) => {
          if (command === '/usr/bin/xcode-select') return Promise.resolve({ code: tools ? 0 : 2 });
          if (args[0] !== 'venv') return Promise.resolve(done);
          wishes.push(environ['UV_PYTHON_PREFERENCE']);
          return environment(args.at(-1) ?? '', 'bin/python');
        },
      );
      const server = own(`uv-${String(tools)}`, mac);
      await server.install(order({ PATH: '/opt/bin' }));
      assert.ok(await server.program());
      assert.deepEqual(wishes, [wish]);
    });
  }
});

test('what cannot even be tried is an answer, not an error', async () => {
  const ended = await run('no\0program', [], options({}));
  assert.equal(ended.code, undefined);
  assert.notEqual(ended.output, '');
});
