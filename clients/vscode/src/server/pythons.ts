/** Which Python to build our own environment with. */

import { homedir } from 'node:os';
import { expanded, which } from './finding';
import { run, type RunOptions } from './running';

export const OLDEST = '3.11';
const OLDEST_MINOR = 11;

export interface Python {
  readonly command: string;
  readonly args: readonly string[];
}

export type PythonFound =
  | { readonly kind: 'found'; readonly python: Python }
  /** The versions of those that are too old, such as `3.9`. */
  | { readonly kind: 'tooOld'; readonly versions: readonly string[] }
  | { readonly kind: 'none' };

const NAMES = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];
const ASK_VERSION = 'import sys; print("python", *sys.version_info[:2])';

/** The first that is new enough: the chosen one alone if there is one, else those on the PATH. */
export async function findPython(chosen: string, options: RunOptions): Promise<PythonFound> {
  const tooOld: string[] = [];
  for (const candidate of await candidates(chosen, options.environ)) {
    const answer = await run(candidate.command, [...candidate.args, '-I', '-c', ASK_VERSION], options);
    const version = /^python (\d+) (\d+)\s*$/m.exec(answer.output);
    if (answer.code !== 0 || version === null) continue;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major > 3 || (major === 3 && minor >= OLDEST_MINOR)) return { kind: 'found', python: candidate };
    tooOld.push(`${major}.${minor}`);
  }
  return tooOld.length > 0 ? { kind: 'tooOld', versions: [...new Set(tooOld)] } : { kind: 'none' };
}

async function candidates(chosen: string, environ: NodeJS.ProcessEnv): Promise<Python[]> {
  if (chosen !== '') return [{ command: expanded(chosen, homedir()), args: [] }];
  const found: Python[] = [];
  if (process.platform === 'win32') {
    const launcher = await which('py', environ);
    if (launcher !== undefined) found.push({ command: launcher, args: ['-3'] });
  }
  for (const name of NAMES) {
    const command = await which(name, environ);
    if (command !== undefined) found.push({ command, args: [] });
  }
  return found;
}
