/** What the user has set, told apart from defaults. Pure. */

/** Where a setting may have a value, as VS Code's `inspect` tells it. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** Settings that a folder may switch on, but not off: it is not the folder's to show who you are. */
const KEPT_ON: readonly string[] = ['quotaline.hideIdentity'];

/** The value that counts of those set, undefined when there is none. */
export function valueSet(key: string, where: Inspected | undefined): unknown {
  const values = [where?.workspaceFolderValue, where?.workspaceValue, where?.globalValue];
  if (KEPT_ON.includes(key)) return values.includes(true) ? true : where?.globalValue;
  return values.find((value) => value !== undefined);
}

/** `[['a.b', 1], ['c', undefined]]` as `{a: {b: 1}}`, plain even where VS Code hands out proxies. */
export function nested(pairs: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [path, value] of pairs) {
    if (value === undefined) continue;
    const names = path.split('.');
    const last = names.pop() ?? path;
    let place = all;
    for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
    place[last] = JSON.parse(JSON.stringify(value)) as unknown;
  }
  return all;
}
