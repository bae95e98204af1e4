/** Which Python to build our own environment with. */

import type { Machine } from './machine';
import type { RunOptions } from './running';

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
  /** `problem` is a sentence about the chosen one. */
  | { readonly kind: 'none'; readonly problem?: string };

const NAMES = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];
const ASK_VERSION = 'import sys; print("python", *sys.version_info[:2])';

/** The first that is new enough: the chosen one alone if there is one, else those on the PATH. */
export async function findPython(
  chosen: string,
  options: RunOptions,
  machine: Machine,
): Promise<PythonFound> {
  if (chosen === '') return firstOf(await onPath(options.environ, machine), options, machine);
  const named = await machine.named(chosen, options.environ);
  if ('problem' in named) return { kind: 'none', problem: named.problem };
  const found = await firstOf([{ command: named.program, args: [] }], options, machine);
  return found.kind === 'none'
    ? { ...found, problem: await why(named.program, options.environ, machine) }
    : found;
}

async function firstOf(
  candidates: readonly Python[],
  options: RunOptions,
  machine: Machine,
): Promise<PythonFound> {
  const tooOld: string[] = [];
  for (const candidate of candidates) {
    if (await machine.isStandIn(candidate.command, options.environ)) continue;
    const question = [...candidate.args, '-I', '-c', ASK_VERSION];
    const answer = await machine.run(candidate.command, question, options);
    const version = /^python (\d+) (\d+)\s*$/m.exec(answer.output);
    if (answer.code !== 0 || version === null) continue;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major > 3 || (major === 3 && minor >= OLDEST_MINOR)) return { kind: 'found', python: candidate };
    tooOld.push(`${major}.${minor}`);
  }
  return tooOld.length > 0 ? { kind: 'tooOld', versions: [...new Set(tooOld)] } : { kind: 'none' };
}

async function onPath(environ: NodeJS.ProcessEnv, machine: Machine): Promise<Python[]> {
  const found: Python[] = [];
  if (machine.isWindows) {
    const launcher = await machine.which('py', environ);
    if (launcher !== undefined) found.push({ command: launcher, args: ['-3'] });
  }
  for (const name of NAMES) {
    const command = await machine.which(name, environ);
    if (command !== undefined) found.push({ command, args: [] });
  }
  return found;
}

async function why(program: string, environ: NodeJS.ProcessEnv, machine: Machine): Promise<string> {
  return (await machine.isStandIn(program, environ))
    ? `${program} only stands in for a Python until Apple's command-line tools are there: run \`xcode-select --install\`.`
    : `${program} does not answer as a Python does.`;
}
