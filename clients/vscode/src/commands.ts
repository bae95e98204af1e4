/** The commands of the palette and of our links. */

import * as vscode from 'vscode';
import { chooseProvider } from './choosing';
import { Command } from './commandIds';
import { askCredential } from './credential';
import { showMenu } from './menu';
import { plainText } from './menuRows';
import { PROVIDERS, readKnownProviders, readMessage, readOutcomes, type KnownProvider } from './protocol';
import type { Report } from './report';
import type { Connection } from './server/connection';
import type { Supervisor } from './server/supervisor';
import { serverNotice } from './appearance';
import { complain, inform, mention, warn } from './say';
import type { State } from './state';

export interface Parts {
  readonly state: State;
  readonly supervisor: Supervisor;
  readonly report: Report;
  readonly log: vscode.LogOutputChannel;
}

type Handler = (server: Connection, id: string | undefined) => Promise<void>;

/** Register them all. */
export function registerCommands(parts: Parts): vscode.Disposable {
  const { state, supervisor, report, log } = parts;
  const register = (command: Command, run: (...args: unknown[]) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(command, run);
  const withServer = (command: Command, handler: Handler): vscode.Disposable =>
    register(command, async (id: unknown) => {
      const { connection } = supervisor;
      if (connection === undefined) {
        await tellTrouble(state);
        return;
      }
      try {
        await handler(connection, typeof id === 'string' ? id : undefined);
      } catch (error) {
        log.error(`${command}: ${sentence(error)}`);
        complain(`Quotaline: ${sentence(error)}`);
      }
    });
  return vscode.Disposable.from(
    register(Command.showMenu, () => {
      supervisor.interacted();
      showMenu(state);
    }),
    register(Command.showReport, () => {
      report.show();
    }),
    register(Command.copyUsage, () => copyUsage(state)),
    register(Command.showLog, () => {
      log.show();
    }),
    register(Command.openSettings, () =>
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:quotaline.quotaline'),
    ),
    register(Command.restartServer, () => supervisor.restart()),
    register(Command.installServer, () => supervisor.install()),
    register(Command.chooseServer, () => chooseServer()),
    withServer(Command.refresh, refresh),
    withServer(Command.openDashboard, openDashboard),
    withServer(Command.signIn, signIn),
    withServer(Command.setCredential, setCredential),
    withServer(Command.enable, enable),
    withServer(Command.disable, disable),
    withServer(Command.openConfig, async (server) => {
      await server.execute(Command.openConfig, []);
    }),
  );
}

/** The server shows the progress; only what did not work is told. */
const refresh: Handler = async (server, id) => {
  const outcomes = readOutcomes(await server.execute(Command.refresh, id === undefined ? [] : [id]));
  const [first, ...more] = outcomes.filter((outcome) => !outcome.ok && outcome.message !== '');
  if (first === undefined) return;
  const others = more.length > 0 ? ` And ${more.length} more could not be read.` : '';
  const shown = await warn(`Quotaline: ${first.message}${others}`, 'Show Report');
  if (shown !== undefined) await vscode.commands.executeCommand(Command.showReport);
};

const openDashboard: Handler = async (server, id) => {
  const chosen = id ?? (await choose(server, 'Open Dashboard', (one) => one.dashboardUrl !== undefined))?.id;
  if (chosen !== undefined) await server.execute(Command.openDashboard, [chosen]);
};

const signIn: Handler = async (server, id) => {
  const provider = await named(server, id, 'Sign In', () => true, howToConnect);
  if (provider === undefined) return;
  const message = readMessage(await server.execute(Command.signIn, [provider.id]));
  const actions = provider.signIn || provider.credentials.length === 0 ? [] : ['Set Credential…'];
  const next = await inform(withoutTicks(message), ...actions);
  if (next !== undefined) await vscode.commands.executeCommand(Command.setCredential, provider.id);
};

const setCredential: Handler = async (server, id) => {
  const provider = await named(server, id, 'Set Credential', (one) => one.credentials.length > 0);
  if (provider === undefined) return;
  if (provider.credentials.length === 0) {
    void inform(withoutTicks(`${provider.name} takes no key. ${provider.connect}`));
    return;
  }
  const credential = await askCredential(provider);
  if (credential === undefined) return;
  tell(await server.execute(Command.setCredential, [credential]));
};

const enable: Handler = async (server, id) => {
  const chosen = id ?? (await choose(server, 'Show Provider', (one) => !one.shown))?.id;
  if (chosen !== undefined) tell(await server.execute(Command.enable, [chosen]));
};

const disable: Handler = async (server, id) => {
  const chosen = id ?? (await choose(server, 'Hide Provider', (one) => one.shown))?.id;
  if (chosen !== undefined) tell(await server.execute(Command.disable, [chosen]));
};

async function copyUsage(state: State): Promise<void> {
  await vscode.env.clipboard.writeText(plainText(...(state.usage?.providers ?? [])));
  mention('AI usage copied', 3000);
}

async function chooseServer(): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({
    title: "Quotaline's Server Program",
    openLabel: 'Use This Program',
    canSelectMany: false,
  });
  const file = chosen?.[0];
  if (file === undefined) return;
  const settings = vscode.workspace.getConfiguration('quotaline');
  await settings.update('serverPath', file.fsPath, vscode.ConfigurationTarget.Global);
}

/** Said only because the user asked for something that cannot be done now. */
async function tellTrouble(state: State): Promise<void> {
  const notice = serverNotice(state.server)
    ?.split('\n')[0]
    ?.replace(/\*\*|\\/g, '');
  const actions = state.server.kind === 'missing' ? ['Install', 'Show Log'] : ['Restart', 'Show Log'];
  const chosen = await warn(notice ?? "Quotaline's server is starting.", ...actions);
  const commands = {
    Install: Command.installServer,
    Restart: Command.restartServer,
    'Show Log': Command.showLog,
  };
  const command = chosen === undefined ? undefined : commands[chosen as keyof typeof commands];
  if (command !== undefined) await vscode.commands.executeCommand(command);
}

async function choose(
  server: Connection,
  title: string,
  fits: (provider: KnownProvider) => boolean,
  tellOf?: (provider: KnownProvider) => string,
): Promise<KnownProvider | undefined> {
  const known = readKnownProviders(await server.request(PROVIDERS, {}));
  return chooseProvider(title, known.filter(fits), tellOf);
}

/** The provider with this id, or else one that the user chooses. */
async function named(
  server: Connection,
  id: string | undefined,
  title: string,
  fits: (provider: KnownProvider) => boolean,
  tellOf?: (provider: KnownProvider) => string,
): Promise<KnownProvider | undefined> {
  if (id === undefined) return choose(server, title, fits, tellOf);
  return readKnownProviders(await server.request(PROVIDERS, {})).find((one) => one.id === id);
}

function howToConnect(provider: KnownProvider): string {
  return provider.signIn ? 'Sign in with the browser' : withoutTicks(provider.connect);
}

function tell(result: unknown): void {
  const message = readMessage(result);
  if (message !== '') mention(message, 6000);
}

function withoutTicks(words: string): string {
  return words.replaceAll('`', '');
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
