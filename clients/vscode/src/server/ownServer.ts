/**
 * Our own installation of the server: a Python environment in the extension's storage.
 *
 * Every installation has a folder of its own and `current.json` names the one in use, written last and in one step: an
 * installation that breaks off harms nothing, and windows that still run the one before keep it.
 */

import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Program } from './finding';
import { Machine } from './machine';
import { findPython, OLDEST } from './pythons';
import type { RunOptions } from './running';

/** An installation did not come about; `message` is for the user. */
export class InstallError extends Error {
  constructor(
    readonly lack: 'noPython' | 'installFailed',
    message: string,
  ) {
    super(message);
  }
}

/** What came with the extension. */
export interface Shipped {
  /** The server's wheel. */
  readonly wheel: string;
  /** A requirements file: all that the wheel needs, each in one version and with its hashes. */
  readonly locked: string;
}

export interface Order {
  readonly pythonPath: string;
  readonly environ: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** What is being done, in two or three words. */
  readonly onStep: (step: string) => void;
  /** What the tools print. */
  readonly onLine: (line: string) => void;
}

interface Current {
  readonly version: string;
  readonly folder: string;
}

/** Variables that would point Python at another environment. */
const POINTING_ELSEWHERE = ['PYTHONHOME', 'PYTHONPATH', 'VIRTUAL_ENV', 'CONDA_PREFIX'];
const HIDDEN =
  'The one found hides its environment from the editor, as those of the Microsoft Store do. ' +
  'Install Python from python.org, or uv, and try again.';
const POINTER = 'current.json';
const LOCK = 'installing';
const LOCK_AGE = 15 * 60_000;
const LOCK_LOOK = 300;

export class OwnServer {
  constructor(
    private readonly folder: string,
    private readonly version: string,
    private readonly shipped: Shipped,
    private readonly machine = new Machine(),
  ) {}

  /** The program that is installed, of whatever version. */
  async program(): Promise<Program | undefined> {
    const current = await this.#current();
    return current === undefined ? undefined : this.#programIn(current.folder);
  }

  /** Whether something is installed that is not of this extension's version. */
  async isOutdated(): Promise<boolean> {
    const current = await this.#current();
    return current !== undefined && current.version !== this.version;
  }

  /** Install this extension's version, unless another window has just done so. Raises InstallError. */
  async install(order: Order): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const release = await this.#lock(order);
    try {
      const current = await this.#current();
      if (current?.version === this.version) return;
      const folder = `${this.version}-${randomUUID().slice(0, 8)}`;
      try {
        await this.#build(path.join(this.folder, folder), order);
      } catch (error) {
        await rm(path.join(this.folder, folder), { recursive: true, force: true });
        throw order.signal.aborted
          ? new InstallError('installFailed', 'The installation was stopped.')
          : error;
      }
      await this.#point({ version: this.version, folder });
      await this.#tidy([folder, current?.folder]);
    } finally {
      await release();
    }
  }

  async #build(folder: string, order: Order): Promise<void> {
    const options: RunOptions = {
      cwd: this.folder,
      environ: this.machine.without(order.environ, POINTING_ELSEWHERE),
      signal: order.signal,
      onLine: order.onLine,
    };
    const uv = order.pythonPath === '' ? await this.machine.which('uv', order.environ) : undefined;
    if (uv !== undefined && (await this.#buildWithUv(uv, folder, order, options))) return;
    const found = await findPython(order.pythonPath, options, this.machine);
    if (found.kind === 'tooOld') {
      throw new InstallError('noPython', `Found only Python ${found.versions.join(', ')}, which is too old.`);
    }
    if (found.kind === 'none') {
      throw new InstallError('noPython', found.problem ?? 'None was found on this machine.');
    }
    const { command, args } = found.python;
    order.onStep('making a Python environment');
    await this.#must(
      command,
      [...args, '-m', 'venv', folder],
      options,
      'The Python environment could not be made.',
    );
    // It succeeded, but the Store keeps what its programs write in a place of their own.
    if (!(await isThere(this.#pythonIn(folder)))) throw new InstallError('noPython', HIDDEN);
    order.onStep('installing packages');
    const pip = ['-I', '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input'];
    await this.#installPackages(this.#pythonIn(folder), pip, options);
    await this.#try(folder, order, options);
  }

  /** Whether uv could do it; Python is tried when it could not even make an environment. */
  async #buildWithUv(uv: string, folder: string, order: Order, options: RunOptions): Promise<boolean> {
    order.onStep('making a Python environment');
    // Among the Pythons that uv would try is the one that only stands in for Apple's; a Python of uv's own is none.
    const wanted = (await this.machine.hasTools(options.environ))
      ? {}
      : { UV_PYTHON_PREFERENCE: 'only-managed' };
    const making = ['venv', '--no-project', '--python', `>=${OLDEST}`, folder];
    const made = await this.machine.run(uv, making, {
      ...options,
      environ: { ...options.environ, ...wanted },
    });
    if (made.code !== 0) {
      await rm(folder, { recursive: true, force: true });
      return false;
    }
    order.onStep('installing packages');
    await this.#installPackages(uv, ['pip', 'install', '--python', this.#pythonIn(folder)], options);
    await this.#try(folder, order, options);
    return true;
  }

  /** First what the server needs, as it was when the extension was made and never built here; then the server. */
  async #installPackages(command: string, install: readonly string[], options: RunOptions): Promise<void> {
    const needed = [...install, '--require-hashes', '--only-binary', ':all:', '-r', this.shipped.locked];
    await this.#must(command, needed, options, 'The packages could not be installed.');
    const own = [...install, '--no-index', '--no-deps', this.shipped.wheel];
    await this.#must(command, own, options, 'The server could not be installed.');
  }

  async #try(folder: string, order: Order, options: RunOptions): Promise<void> {
    order.onStep('trying the server');
    await this.#must(
      this.#pythonIn(folder),
      ['-I', '-m', 'quotaline', '--version'],
      options,
      'The server does not start.',
    );
  }

  async #must(command: string, args: readonly string[], options: RunOptions, failure: string): Promise<void> {
    const ended = await this.machine.run(command, args, options);
    if (ended.code !== 0) throw new InstallError('installFailed', `${failure} The log tells why.`);
  }

  async #current(): Promise<Current | undefined> {
    try {
      const read: unknown = JSON.parse(await readFile(path.join(this.folder, POINTER), 'utf8'));
      const { version, folder } = read as Partial<Record<string, unknown>>;
      if (typeof version !== 'string' || typeof folder !== 'string' || path.basename(folder) !== folder)
        return undefined;
      await access(this.#pythonIn(path.join(this.folder, folder)));
      return { version, folder };
    } catch {
      return undefined;
    }
  }

  async #point(current: Current): Promise<void> {
    const draft = path.join(this.folder, `${POINTER}.${randomUUID()}`);
    await writeFile(draft, JSON.stringify(current));
    await rename(draft, path.join(this.folder, POINTER));
  }

  #programIn(folder: string): Program {
    // Isolated (-I): neither the workspace nor PYTHON... variables decide what is imported.
    const args = ['-I', '-m', 'quotaline', 'serve'];
    return {
      command: this.#pythonIn(path.join(this.folder, folder)),
      args,
      origin: "the extension's own installation",
    };
  }

  async #tidy(kept: readonly (string | undefined)[]): Promise<void> {
    for (const entry of await readdir(this.folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || kept.includes(entry.name)) continue;
      await rm(path.join(this.folder, entry.name), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** One installation at a time, over all windows. A lock that was left behind counts for a quarter of an hour. */
  async #lock(order: Order): Promise<() => Promise<void>> {
    const lock = path.join(this.folder, LOCK);
    for (;;) {
      try {
        await (await open(lock, 'wx')).close();
        return () => rm(lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const age = await stat(lock).then(
        (found) => Date.now() - found.mtimeMs,
        () => 0,
      );
      if (age > LOCK_AGE) await rm(lock, { force: true });
      else {
        order.onStep('waiting for another window');
        await wait(LOCK_LOOK, undefined, { signal: order.signal }).catch(() => {
          throw new InstallError('installFailed', 'The installation was stopped.');
        });
      }
    }
  }

  #pythonIn(folder: string): string {
    return this.machine.isWindows
      ? path.join(folder, 'Scripts', 'python.exe')
      : path.join(folder, 'bin', 'python');
  }
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
