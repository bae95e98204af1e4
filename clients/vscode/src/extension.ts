/** Quotaline in VS Code: places what its server renders, and does what the user asks of it. */

import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { offerInstallation } from './offer';
import { Report } from './report';
import { OwnServer } from './server/ownServer';
import { Supervisor } from './server/supervisor';
import { affectsServer, affectsServerPlaces, declaredKeys } from './settings';
import { State } from './state';
import { StatusBar } from './statusBar';

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Quotaline', { log: true });
  const state = new State();
  const supervisor = new Supervisor(
    state,
    ownServer(context),
    log,
    declaredKeys(context.extension.packageJSON),
  );
  const report = new Report(state, supervisor);

  context.subscriptions.push(
    log,
    state,
    supervisor,
    report,
    new StatusBar(state),
    registerCommands({ state, supervisor, report, log }),
    offerInstallation(state, context.globalState),
    followSettings(supervisor),
    followAttention(supervisor),
  );

  void supervisor.start();
}

function ownServer(context: vscode.ExtensionContext): OwnServer {
  const { version } = context.extension.packageJSON as { version: string };
  const shipped = (name: string): string => vscode.Uri.joinPath(context.extensionUri, 'server', name).fsPath;
  return new OwnServer(vscode.Uri.joinPath(context.globalStorageUri, 'server').fsPath, version, {
    wheel: shipped(`quotaline-${version}-py3-none-any.whl`),
    locked: shipped('requirements.txt'),
  });
}

function followSettings(supervisor: Supervisor): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((change) => {
    if (affectsServerPlaces(change)) void supervisor.restart();
    else if (affectsServer(change)) supervisor.settingsChanged();
  });
}

/** A tooltip does not tell when it is looked at; a window that comes to the front is the nearest thing. */
function followAttention(supervisor: Supervisor): vscode.Disposable {
  return vscode.window.onDidChangeWindowState(({ focused }) => {
    if (focused) supervisor.interacted();
  });
}
