/** Running a program to its end, with a deadline. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface Ended {
  /** `undefined` when it could not be started or was stopped. */
  readonly code: number | undefined;
  readonly output: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly environ: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

const KEPT_CHARACTERS = 64_000;

/** Never rejects: what went wrong is in the answer. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  return new Promise((resolve) => {
    let output = '';
    let pending = '';
    const take = (data: Buffer): void => {
      const words = data.toString('utf8');
      output = (output + words).slice(-KEPT_CHARACTERS);
      const lines = (pending + words).split(/\r?\n/);
      pending = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    };
    let child: ChildProcessByStdio<null, Readable, Readable>;
    try {
      child = spawn(command, args, {
        cwd: options.cwd,
        env: options.environ,
        signal: options.signal,
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
      });
    } catch (error) {
      // What Node will not even try, such as a batch file.
      resolve({ code: undefined, output: String(error) });
      return;
    }
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      resolve({ code: undefined, output: `${output}${error.message}` });
    });
    child.on('close', (code) => {
      if (pending !== '') options.onLine?.(pending);
      resolve({ code: code ?? undefined, output });
    });
  });
}
