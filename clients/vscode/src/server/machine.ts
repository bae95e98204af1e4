/** The machine below the editor, as far as finding programs is concerned: the one place that knows the systems apart. */

import { constants } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { run as runIt } from './running';

/** What is asked of the files of a machine, each as in `node:fs/promises`. */
export interface Files {
  access(file: string, mode: number): Promise<void>;
  stat(file: string): Promise<{ isFile(): boolean }>;
  lstat(file: string): Promise<{ isDirectory(): boolean }>;
  realpath(file: string): Promise<string>;
}

const REAL_FILES: Files = { access, lstat, realpath, stat };
/** What Windows starts by itself. A batch file needs a shell, which Node refuses and which could not be ended. */
const PROGRAMS = ['.exe', '.com'];
const BATCH_FILES = ['.cmd', '.bat'];
/** What `stat` says of an app execution alias of Windows. */
const ALIAS_ERRORS = ['EACCES', 'UNKNOWN'];
const TOOLS_PATIENCE = 5_000;

export class Machine {
  constructor(
    readonly platform: NodeJS.Platform = process.platform,
    readonly home: string = homedir(),
    private readonly files: Files = REAL_FILES,
    readonly run: typeof runIt = runIt,
  ) {}

  get isWindows(): boolean {
    return this.platform === 'win32';
  }

  /** The rules of this machine's paths. */
  get paths(): path.PlatformPath {
    return this.isWindows ? path.win32 : path.posix;
  }

  /** The value of a variable that is set. Windows knows `Path` and `PATH` as one. */
  variable(environ: NodeJS.ProcessEnv, name: string): string | undefined {
    return Object.entries(environ).find(
      ([known, value]) => this.#isSame(known, name) && value !== undefined,
    )?.[1];
  }

  /** The environment without these variables. */
  without(environ: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
    const kept = Object.entries(environ).filter(
      ([known]) => !names.some((name) => this.#isSame(known, name)),
    );
    return Object.fromEntries(kept);
  }

  /** A program on the PATH, as an absolute path. */
  async which(name: string, environ: NodeJS.ProcessEnv): Promise<string | undefined> {
    for (const entry of (this.variable(environ, 'PATH') ?? '').split(this.paths.delimiter)) {
      // Windows' own search takes quotes away.
      const folder = this.isWindows ? entry.replaceAll('"', '') : entry;
      // A relative folder would make the answer depend on which workspace is open.
      if (!this.paths.isAbsolute(folder)) continue;
      const candidate = this.paths.join(folder, this.programName(name));
      if (await this.isProgram(candidate)) return candidate;
    }
    return undefined;
  }

  programName(name: string): string {
    return this.isWindows && !PROGRAMS.includes(this.#extension(name)) ? `${name}.exe` : name;
  }

  /** `~/bin/quotaline` as a shell would read it. */
  expanded(file: string): string {
    return file === '~' || /^~[/\\]/.test(file) ? this.paths.join(this.home, file.slice(1)) : file;
  }

  /** The program that a user names by its path or its name on the PATH, else a sentence that says why it cannot start. */
  async named(
    typed: string,
    environ: NodeJS.ProcessEnv,
  ): Promise<{ readonly program: string } | { readonly problem: string }> {
    // What Windows copies as a path is in quotes, which no path has there.
    const file = this.isWindows ? typed.replaceAll('"', '') : typed;
    if (this.isWindows && BATCH_FILES.includes(this.#extension(file))) {
      return {
        problem: `${file} is a batch file, which cannot be started here. Name the .exe that it starts.`,
      };
    }
    const onPath = /[/\\]/.test(file) ? undefined : await this.which(file, environ);
    if (onPath !== undefined) return { program: onPath };
    const whole = this.expanded(file);
    const program = this.programName(whole);
    return (await this.isProgram(program)) ? { program } : { problem: `There is no program at ${whole}.` };
  }

  async isProgram(file: string): Promise<boolean> {
    try {
      // Whether a file can be started is no matter of its rights on Windows.
      if (!this.isWindows) await this.files.access(file, constants.X_OK);
      return await this.#isFile(file);
    } catch {
      return false;
    }
  }

  /**
   * Whether macOS only stands in for this Python: without the command-line tools, all of `/usr/bin`'s developer programs
   * open a dialog that offers to download them.
   */
  async isStandIn(program: string, environ: NodeJS.ProcessEnv): Promise<boolean> {
    if (this.platform !== 'darwin') return false;
    const real = await this.files.realpath(program).catch(() => program);
    return this.paths.dirname(real) === '/usr/bin' && !(await this.hasTools(environ));
  }

  /** Whether the developer tools of macOS are installed; `true` where nothing needs them. */
  async hasTools(environ: NodeJS.ProcessEnv): Promise<boolean> {
    if (this.platform !== 'darwin') return true;
    const options = { cwd: '/', environ, signal: AbortSignal.timeout(TOOLS_PATIENCE) };
    return (await this.run('/usr/bin/xcode-select', ['-p'], options)).code === 0;
  }

  async #isFile(file: string): Promise<boolean> {
    try {
      return (await this.files.stat(file)).isFile();
    } catch (error) {
      // An app execution alias of Windows can be started but not looked into: the programs of the Store are such.
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!this.isWindows || !ALIAS_ERRORS.includes(code)) throw error;
      return !(await this.files.lstat(file)).isDirectory();
    }
  }

  #extension(file: string): string {
    return this.paths.extname(file).toLowerCase();
  }

  #isSame(one: string, other: string): boolean {
    return one === other || (this.isWindows && one.toUpperCase() === other.toUpperCase());
  }
}
