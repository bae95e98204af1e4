/** Which server program to start: the one in the settings, else the one on the PATH, else our own. */

import { Machine } from './machine';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it was found, for the log. */
  readonly origin: string;
}

export type Found =
  | { readonly kind: 'found'; readonly program: Program }
  /** The settings name what cannot be started; `problem` is a sentence for the user. */
  | { readonly kind: 'wrongPath'; readonly problem: string }
  | { readonly kind: 'none' };

export interface Surroundings {
  readonly serverPath: string;
  readonly environ: NodeJS.ProcessEnv;
  readonly machine?: Machine;
  /** Our own installation, if there is one. */
  readonly own: () => Promise<Program | undefined>;
}

const SERVE = ['serve'];

/** Look in all places, in their order. */
export async function findServer(around: Surroundings): Promise<Found> {
  const machine = around.machine ?? new Machine();
  if (around.serverPath !== '') {
    const named = await machine.named(around.serverPath, around.environ);
    return 'program' in named
      ? found({ command: named.program, args: SERVE, origin: 'the settings' })
      : { kind: 'wrongPath', problem: named.problem };
  }
  const onPath = await machine.which('quotaline', around.environ);
  if (onPath !== undefined) return found({ command: onPath, args: SERVE, origin: 'the PATH' });
  // Where uv and pipx put programs, and where an editor started from a desktop does not look by itself.
  const usual = machine.paths.join(machine.home, '.local', 'bin', machine.programName('quotaline'));
  if (await machine.isProgram(usual))
    return found({ command: usual, args: SERVE, origin: 'the usual place' });
  const own = await around.own();
  return own === undefined ? { kind: 'none' } : found(own);
}

function found(program: Program): Found {
  return { kind: 'found', program };
}
