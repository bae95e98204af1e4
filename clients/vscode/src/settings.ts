/** The user's settings: the client's own, and those that are handed to the server as they are. */

import * as vscode from 'vscode';
import type { Layout } from './appearance';
import { nested, valueSet } from './setValues';

const SECTION = 'quotaline';
const CLIENT_ONLY: readonly string[] = ['serverPath', 'pythonPath', 'statusBar', 'trace'];

export interface StatusBarSettings {
  readonly layout: Layout;
  readonly alignment: 'left' | 'right';
  readonly priority: number;
}

export interface ServerPlaces {
  readonly serverPath: string;
  readonly pythonPath: string;
}

export function statusBarSettings(): StatusBarSettings {
  const settings = vscode.workspace.getConfiguration(`${SECTION}.statusBar`);
  const priority = settings.get<unknown>('priority');
  return {
    layout: settings.get<unknown>('layout') === 'perProvider' ? 'perProvider' : 'combined',
    alignment: settings.get<unknown>('alignment') === 'left' ? 'left' : 'right',
    priority: typeof priority === 'number' && Number.isFinite(priority) ? priority : 100,
  };
}

export function serverPlaces(): ServerPlaces {
  const settings = vscode.workspace.getConfiguration(SECTION);
  const path = (name: string): string => {
    const value = settings.get<unknown>(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  return { serverPath: path('serverPath'), pythonPath: path('pythonPath') };
}

interface Manifest {
  readonly contributes?: { readonly configuration?: readonly { readonly properties: object }[] };
}

/** The names of all settings that the extension's manifest declares. */
export function declaredKeys(manifest: unknown): readonly string[] {
  const { contributes } = manifest as Manifest;
  return (contributes?.configuration ?? []).flatMap(({ properties }) => Object.keys(properties));
}

/**
 * The section `quotaline` of the protocol: what the user has set, as the defaults are the server's and its config file goes
 * before them. `keys` are the settings that the manifest declares.
 */
export function serverSettings(keys: readonly string[]): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration();
  const theirs = keys.filter((key) => !CLIENT_ONLY.some((name) => isWithin(key, `${SECTION}.${name}`)));
  return nested(theirs.map((key) => [key.slice(SECTION.length + 1), valueSet(key, settings.inspect(key))]));
}

function isWithin(key: string, section: string): boolean {
  return key === section || key.startsWith(`${section}.`);
}

/** Whether a change concerns what the server was told. */
export function affectsServer(change: vscode.ConfigurationChangeEvent): boolean {
  return change.affectsConfiguration(SECTION);
}

/** Whether a change concerns which server is started. */
export function affectsServerPlaces(change: vscode.ConfigurationChangeEvent): boolean {
  return change.affectsConfiguration(`${SECTION}.serverPath`);
}

/** VS Code's own proxy setting, for a server whose environment has none. */
export function proxySetting(): string | undefined {
  const value = vscode.workspace.getConfiguration('http').get<unknown>('proxy');
  return typeof value === 'string' && value !== '' ? value : undefined;
}
