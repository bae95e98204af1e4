/** Which server program to start: the one in the settings, else the one on the PATH, else our own. */

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import * as path from 'node:path';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it was found, for the log. */
  readonly origin: string;
}

export type Found =
  | { readonly kind: 'found'; readonly program: Program }
  | { readonly kind: 'wrongPath'; readonly path: string }
  | { readonly kind: 'none' };

export interface Surroundings {
  readonly serverPath: string;
  readonly environ: NodeJS.ProcessEnv;
  readonly home?: string;
  readonly platform?: NodeJS.Platform;
  /** Our own installation, if there is one. */
  readonly own: () => Promise<Program | undefined>;
}

const SERVE = ['serve'];

/** Look in all places, in their order. */
export async function findServer(around: Surroundings): Promise<Found> {
  const home = around.home ?? homedir();
  if (around.serverPath !== '') {
    const chosen = expanded(around.serverPath, home);
    return (await isProgram(chosen))
      ? found({ command: chosen, args: SERVE, origin: 'the settings' })
      : { kind: 'wrongPath', path: chosen };
  }
  const onPath = await which('quotaline', around.environ, around.platform);
  if (onPath !== undefined) return found({ command: onPath, args: SERVE, origin: 'the PATH' });
  // Where uv and pipx put programs, and where an editor started from a desktop does not look by itself.
  const usual = path.join(home, '.local', 'bin', programName('quotaline', around.platform));
  if (await isProgram(usual)) return found({ command: usual, args: SERVE, origin: 'the usual place' });
  const own = await around.own();
  return own === undefined ? { kind: 'none' } : found(own);
}

/** A program on the PATH, as an absolute path. */
export async function which(
  name: string,
  environ: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const folders = (environ['PATH'] ?? environ['Path'] ?? '').split(platform === 'win32' ? ';' : ':');
  for (const folder of folders) {
    // A relative folder would make the answer depend on which workspace is open.
    if (!path.isAbsolute(folder)) continue;
    const candidate = path.join(folder, programName(name, platform));
    if (await isProgram(candidate)) return candidate;
  }
  return undefined;
}

export function expanded(file: string, home: string): string {
  return file === '~' || /^~[/\\]/.test(file) ? path.join(home, file.slice(1)) : file;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

function programName(name: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? `${name}.exe` : name;
}

function found(program: Program): Found {
  return { kind: 'found', program };
}
