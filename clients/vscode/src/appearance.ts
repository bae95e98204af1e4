/** How the state looks in the status bar: texts, emphasis, tooltips. Pure; the status bar only places it. */

import { Command } from './commandIds';
import type { ProviderState, Severity, Usage } from './protocol';
import type { ServerState } from './state';
import { commandLink, cut, markdown, withoutIcons } from './text';

export type Layout = 'combined' | 'perProvider';

export interface Appearance {
  /** Tells items apart: stable for one provider's account. */
  readonly key: string;
  /** What the status bar's own menu calls it. */
  readonly name: string;
  readonly text: string;
  readonly emphasis: 'none' | 'warning' | 'error';
  /** Markdown with links to our own commands. */
  readonly tooltip: string;
  /** For screen readers. */
  readonly spoken: string;
}

const LONGEST_LINE = 120;
const LONGEST_ITEM = 48;
const FAILURES_UNTIL_TOLD = 3;
const NAME = 'AI Usage';

/** Every status bar item, in order. There is always at least one. */
export function appearances(server: ServerState, usage: Usage | undefined, layout: Layout): Appearance[] {
  if (usage === undefined || !showsUsage(server)) return [troubled(server)];
  if (layout === 'combined' || usage.providers.length === 0) return [combined(server, usage)];
  const seen = new Map<string, number>();
  return usage.providers.map((provider) => {
    const ordinal = (seen.get(provider.id) ?? 0) + 1;
    seen.set(provider.id, ordinal);
    return single(server, usage, provider, ordinal);
  });
}

/** What is wrong with the server, in a sentence and with links to what helps; undefined when nothing is. */
export function serverNotice(server: ServerState): string | undefined {
  switch (server.kind) {
    case 'running':
    case 'starting':
      return undefined;
    case 'installing':
      return `**Quotaline** is installing its server: ${markdown(server.step)}.`;
    case 'ended':
      return paragraphs(
        `**Quotaline's server ended unexpectedly** (${markdown(server.reason)}). ` +
          `It is started again at ${markdown(new Date(server.retryAt).toLocaleTimeString())}.`,
        links([
          ['Restart now', Command.restartServer],
          ['Show log', Command.showLog],
        ]),
      );
    case 'otherVersion':
      return paragraphs(
        `**Quotaline's server and this extension do not fit together.** The server speaks version ` +
          `${markdown(server.version)} of their protocol. Update the older of the two.`,
        links([
          ['Choose another server', Command.chooseServer],
          ['Restart', Command.restartServer],
          ['Show log', Command.showLog],
        ]),
      );
    case 'missing':
      return paragraphs(
        `**${LACKS[server.lack].sentence}** ${markdown(server.detail)}`.trim(),
        missingLinks(server.lack),
      );
  }
}

const LACKS = {
  notInstalled: { short: 'not installed', sentence: "Quotaline's server is not installed." },
  wrongPath: { short: 'server not found', sentence: 'The server in the settings cannot be started.' },
  noPython: { short: 'needs Python', sentence: 'Quotaline needs Python 3.11 or newer.' },
  installFailed: { short: 'install failed', sentence: "Quotaline's server could not be installed." },
} as const;

function missingLinks(lack: keyof typeof LACKS): string {
  return links([
    ...(lack === 'wrongPath' ? [] : ([['Install', Command.installServer]] as const)),
    ['Choose the server program', Command.chooseServer],
    ['Open settings', Command.openSettings],
    ['Show log', Command.showLog],
  ]);
}

function showsUsage(server: ServerState): boolean {
  switch (server.kind) {
    case 'running':
    case 'starting':
      return true;
    case 'ended':
      return server.failures < FAILURES_UNTIL_TOLD;
    case 'installing':
    case 'missing':
    case 'otherVersion':
      return false;
  }
}

function combined(server: ServerState, usage: Usage): Appearance {
  const line = cut(usage.text, LONGEST_LINE) || 'Quotaline';
  return {
    key: 'all',
    name: NAME,
    text: `${icon(server, usage.severity)} ${withoutIcons(line)}`,
    emphasis: emphasis(usage.severity),
    tooltip: paragraphs(notice(server, usage), usage.hover, RULE, footer(usage.providers)),
    spoken: spoken(line, usage.severity),
  };
}

function single(server: ServerState, usage: Usage, provider: ProviderState, ordinal: number): Appearance {
  const line = cut(provider.text, LONGEST_ITEM);
  return {
    key: ordinal > 1 ? `${provider.id}#${ordinal}` : provider.id,
    name: `${NAME}: ${cut(provider.name, LONGEST_ITEM)}`,
    text:
      ordinal === 1 && provider.severity === 'ok'
        ? withoutIcons(line)
        : `${icon(server, provider.severity)} ${withoutIcons(line)}`,
    emphasis: emphasis(provider.severity),
    tooltip: paragraphs(notice(server, usage), provider.hover, RULE, footer([provider], provider.id)),
    spoken: spoken(line, provider.severity),
  };
}

/** What is wrong with the server, or why it should be restarted. */
function notice(server: ServerState, { restartDue }: Usage): string | undefined {
  if (server.kind !== 'running' || restartDue === '') return serverNotice(server);
  return paragraphs(`**${markdown(restartDue)}**`, links([['Restart now', Command.restartServer]]));
}

function troubled(server: ServerState): Appearance {
  const words = troubledWords(server);
  const busy = server.kind === 'starting' || server.kind === 'installing' || server.kind === 'running';
  return {
    key: 'all',
    name: NAME,
    text: `${busy ? '$(loading~spin)' : '$(warning)'} ${words}`,
    emphasis: 'none',
    tooltip: serverNotice(server) ?? 'Quotaline is starting.',
    spoken: `AI usage: ${words}`,
  };
}

function troubledWords(server: ServerState): string {
  switch (server.kind) {
    case 'installing':
      return 'Quotaline: installing';
    case 'ended':
      return server.failures < FAILURES_UNTIL_TOLD ? 'Quotaline: restarting' : 'Quotaline: stopped';
    case 'missing':
      return `Quotaline: ${LACKS[server.lack].short}`;
    case 'otherVersion':
      return 'Quotaline: update needed';
    case 'running':
    case 'starting':
      return 'AI usage';
  }
}

function icon(server: ServerState, severity: Severity): string {
  if (server.kind === 'ended') return '$(sync~spin)';
  switch (severity) {
    case 'critical':
    case 'error':
      return '$(warning)';
    case 'stale':
      return '$(history)';
    case 'ok':
    case 'warning':
    case 'empty':
      return '$(dashboard)';
  }
}

function emphasis(severity: Severity): Appearance['emphasis'] {
  if (severity === 'critical') return 'error';
  return severity === 'warning' ? 'warning' : 'none';
}

function spoken(line: string, severity: Severity): string {
  const level =
    severity === 'ok' || severity === 'empty' ? '' : severity === 'stale' ? ', out of date' : `, ${severity}`;
  return `AI usage: ${line}${level}`;
}

const RULE = '---';
const CONNECTABLE: readonly string[] = ['missing_credential', 'expired_credential', 'forbidden'];

function footer(providers: readonly ProviderState[], only?: string): string {
  const parts: string[] = [
    only === undefined
      ? commandLink('Refresh', Command.refresh)
      : commandLink('Refresh', Command.refresh, only),
    commandLink('Report', Command.showReport),
  ];
  for (const provider of providers) {
    if (provider.error !== undefined && CONNECTABLE.includes(provider.error.kind)) {
      parts.push(commandLink(`Sign in to ${cut(provider.name, LONGEST_ITEM)}`, Command.signIn, provider.id));
    }
  }
  parts.push(commandLink('All actions', Command.showMenu));
  return parts.join(' · ');
}

function links(pairs: readonly (readonly [string, Command])[]): string {
  return pairs.map(([label, command]) => commandLink(label, command)).join(' · ');
}

function paragraphs(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n');
}
