/** Asking for a credential. What is typed goes to the server's keyring command and nowhere else. */

import * as vscode from 'vscode';
import type { KnownProvider } from './protocol';
import { notification } from './text';

export interface Credential {
  readonly id: string;
  readonly value: string;
  readonly label?: string;
}

/** The label under which the server keeps a cookie header. */
const COOKIE = 'cookie';

type Kind = 'key' | 'cookie' | 'otherAccount';

interface KindItem extends vscode.QuickPickItem {
  readonly kindOfCredential: Kind;
}

/** What to keep for a provider; undefined when the user thinks better of it. */
export async function askCredential(provider: KnownProvider): Promise<Credential | undefined> {
  const kind = await askKind(provider);
  if (kind === undefined) return undefined;
  const label = kind === 'cookie' ? COOKIE : kind === 'otherAccount' ? await askLabel(provider) : '';
  if (label === undefined) return undefined;
  const value = await vscode.window.showInputBox({
    title: notification(`Set Credential: ${provider.name}`),
    prompt: kind === 'cookie' ? 'It was saved in the system keyring.' : keyPrompt(provider),
    placeHolder: kind === 'cookie' ? 'The Cookie header of a signed-in browser' : 'The API key',
    password: true,
    ignoreFocusOut: true,
    validateInput: (typed) => (typed !== '' && typed.trim() === '' ? 'This is empty.' : undefined),
  });
  if (value === undefined || value.trim() === '') return undefined;
  return { id: provider.id, value: value.trim(), ...(label === '' ? {} : { label }) };
}

async function askKind(provider: KnownProvider): Promise<Kind | undefined> {
  const items: KindItem[] = [];
  if (provider.credentials.includes('key') || provider.credentials.length === 0) {
    items.push({ label: 'API key', kindOfCredential: 'key' });
  }
  if (provider.credentials.includes('cookie')) {
    items.push({
      label: 'Cookie header',
      detail: 'Of a browser that is signed in',
      kindOfCredential: 'cookie',
    });
  }
  if (provider.shown) {
    items.push({ label: 'API key of one more account…', kindOfCredential: 'otherAccount' });
  }
  if (items.length === 1) return items[0]?.kindOfCredential;
  const chosen = await vscode.window.showQuickPick(items, {
    title: notification(`Set Credential: ${provider.name}`),
    placeHolder: 'What do you have?',
    ignoreFocusOut: true,
  });
  return chosen?.kindOfCredential;
}

async function askLabel(provider: KnownProvider): Promise<string | undefined> {
  const label = await vscode.window.showInputBox({
    title: notification(`Set Credential: ${provider.name}`),
    prompt: 'A short name for this account, as it is shown beside the provider.',
    placeHolder: 'Work',
    ignoreFocusOut: true,
    validateInput: (typed) => (typed.trim() === '' ? 'The account needs a name.' : undefined),
  });
  return label?.trim();
}

function keyPrompt(provider: KnownProvider): string {
  const kept = 'It was saved in the system keyring.';
  return provider.keyUrl === undefined ? kept : notification(`Keys are made at ${provider.keyUrl}. ${kept}`);
}
