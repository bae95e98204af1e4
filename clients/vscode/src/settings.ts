/** The user's settings: the client's own, and those that are handed to the server as they are. */

import * as vscode from 'vscode';
import type { Layout } from './appearance';

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

/** The section `quotaline` of the protocol. */
export function serverSettings(): Record<string, unknown> {
  const all = vscode.workspace.getConfiguration().get<Record<string, unknown>>(SECTION) ?? {};
  const theirs = Object.entries(all).filter(([name]) => !CLIENT_ONLY.includes(name));
  // VS Code hands out proxies; what is sent must be plain.
  return JSON.parse(JSON.stringify(Object.fromEntries(theirs))) as Record<string, unknown>;
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
