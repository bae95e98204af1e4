/** What the quick pick lists, as plain rows. Pure; the menu only places them. */

import { Command } from './commandIds';
import type { ProviderState, Usage } from './protocol';
import type { ServerState } from './state';
import { cut, withoutIcons } from './text';

export interface Row {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly act: Act;
  readonly buttons?: readonly RowButton[];
}

export interface Heading {
  readonly heading: string;
}

export type Line = Row | Heading;

export type Act =
  | { readonly kind: 'command'; readonly command: Command; readonly args: readonly unknown[] }
  | { readonly kind: 'provider'; readonly key: string }
  | { readonly kind: 'copy'; readonly text: string }
  | { readonly kind: 'back' };

export interface RowButton {
  readonly icon: string;
  readonly tooltip: string;
  readonly act: Act;
}

const LONGEST = 60;

/** A provider's account; `id` alone is not enough where several accounts are shown. */
export function keyOf(provider: ProviderState, all: readonly ProviderState[]): string {
  const same = all.filter((one) => one.id === provider.id);
  return `${provider.id}#${same.indexOf(provider)}`;
}

/** The first list: every provider, then what can be done. */
export function menuRows(server: ServerState, usage: Usage | undefined): Line[] {
  const providers = usage?.providers ?? [];
  const lines: Line[] = providers.map((provider) => providerRow(provider, keyOf(provider, providers)));
  if (server.kind !== 'running')
    return [...troubleRows(server), ...lines, heading('Quotaline'), ...ownRows()];
  const usageRows = [
    heading('Usage'),
    command('$(refresh) Refresh all', Command.refresh),
    command('$(graph) Show report', Command.showReport),
    ...(providers.length > 0 ? [command('$(copy) Copy', Command.copyUsage)] : []),
  ];
  const connectRows = [
    heading(providers.length > 0 ? 'Providers' : 'No provider is connected yet'),
    command('$(sign-in) Sign in…', Command.signIn),
    command('$(key) Set credential…', Command.setCredential),
    command('$(eye) Show a provider…', Command.enable),
  ];
  return [
    ...lines,
    ...(providers.length > 0 ? [...usageRows, ...connectRows] : [...connectRows, ...usageRows]),
    heading('Quotaline'),
    command('$(json) Open configuration', Command.openConfig),
    ...ownRows(),
  ];
}

/** The second list: one provider with its windows, and what can be done with it. */
export function providerRows(provider: ProviderState): Line[] {
  const { id } = provider;
  const expired = provider.error !== undefined;
  const lines: Line[] = [
    ...(provider.blocked === undefined ? [] : [told(BLOCKED, provider.blocked)]),
    ...provider.windows.map((limit) => told(limit.label, limit.text)),
    ...provider.balances.map((balance) => told(balance.label, balance.text)),
  ];
  if (provider.error !== undefined) lines.push({ ...told('', sentence(provider)), label: '$(warning)' });
  const dashboard = command('$(link-external) Open dashboard', Command.openDashboard, id);
  const signIn = command('$(sign-in) Sign in', Command.signIn, id);
  return [
    ...lines,
    heading('Actions'),
    ...(expired ? [signIn] : []),
    command('$(refresh) Refresh', Command.refresh, id),
    ...(provider.dashboardUrl === undefined ? [] : [dashboard]),
    { label: '$(copy) Copy', act: { kind: 'copy', text: plainText(provider) } },
    ...(expired ? [] : [signIn]),
    command('$(key) Set credential…', Command.setCredential, id),
    command('$(eye-closed) Hide this provider', Command.disable, id),
    heading(''),
    { label: '$(arrow-left) Back', act: { kind: 'back' } },
  ];
}

/** The usage as text, a line for each provider. */
export function plainText(...providers: ProviderState[]): string {
  return providers
    .map((one) =>
      [title(one), ...amounts(one), ...(one.error === undefined ? [] : [sentence(one)])].join(' · '),
    )
    .join('\n');
}

function providerRow(provider: ProviderState, key: string): Row {
  const who = [provider.plan, provider.account].filter((part) => part !== undefined).join(' · ');
  const problem = provider.error === undefined ? [] : [`$(warning) ${withoutIcons(sentence(provider))}`];
  const detail = [...amounts(provider).map(withoutIcons), ...problem].join('  ·  ');
  return {
    label: `${ICONS[provider.severity]} ${withoutIcons(cut(provider.name, LONGEST))}`,
    description: `${withoutIcons(cut(who, LONGEST))}${provider.refreshing ? ' $(sync~spin)' : ''}`.trim(),
    detail: detail || 'Not read yet',
    act: { kind: 'provider', key },
    buttons: [
      { icon: 'refresh', tooltip: 'Refresh', act: run(Command.refresh, provider.id) },
      ...(provider.dashboardUrl === undefined
        ? []
        : [
            {
              icon: 'link-external',
              tooltip: 'Open dashboard',
              act: run(Command.openDashboard, provider.id),
            },
          ]),
    ],
  };
}

const BLOCKED = 'Blocked';

const ICONS = {
  ok: '$(pass)',
  warning: '$(warning)',
  critical: '$(error)',
  stale: '$(history)',
  error: '$(warning)',
  empty: '$(circle-outline)',
} as const;

function troubleRows(server: ServerState): Line[] {
  const restart = command('$(sync) Restart the server', Command.restartServer);
  const choose = command('$(folder-opened) Choose the server program…', Command.chooseServer);
  switch (server.kind) {
    case 'missing':
      return [
        ...(server.lack === 'wrongPath'
          ? []
          : [command('$(cloud-download) Install the server…', Command.installServer)]),
        choose,
      ];
    case 'ended':
      return [restart];
    case 'otherVersion':
      return [choose, restart];
    case 'starting':
    case 'running':
    case 'installing':
      return [];
  }
}

function ownRows(): Line[] {
  return [
    command('$(settings-gear) Open settings', Command.openSettings),
    command('$(output) Show log', Command.showLog),
    command('$(sync) Restart the server', Command.restartServer),
  ];
}

function amounts(provider: ProviderState): string[] {
  const blocked = provider.blocked === undefined ? [] : [`${BLOCKED}: ${provider.blocked}`];
  const numbers = [...provider.windows, ...provider.balances];
  return [...blocked, ...numbers.map((one) => `${one.label} ${one.text}`.trim())];
}

function title(provider: ProviderState): string {
  return provider.account === undefined ? provider.name : `${provider.name} (${provider.account})`;
}

function sentence({ error }: ProviderState): string {
  return error === undefined ? '' : `${error.message} ${error.hint}`.replaceAll('`', '').trim();
}

function told(label: string, words: string): Row {
  return {
    label: withoutIcons(label),
    description: withoutIcons(words),
    act: { kind: 'copy', text: `${label} ${words}` },
  };
}

function command(label: string, id: Command, ...args: unknown[]): Row {
  return { label, act: run(id, ...args) };
}

function run(id: Command, ...args: unknown[]): Act {
  return { kind: 'command', command: id, args };
}

function heading(words: string): Heading {
  return { heading: words };
}
