/** Running a program to its end, with a deadline. */

import { spawn } from 'node:child_process';

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
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.environ,
      signal: options.signal,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
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
