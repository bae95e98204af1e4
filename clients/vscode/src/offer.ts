/** Asking, once in the life of an installation of VS Code, whether the missing server may be installed. */

import * as vscode from 'vscode';
import { Command } from './commandIds';
import { inform } from './say';
import type { State } from './state';

const ASKED = 'askedToInstall';

/** Ask when the server turns out to be missing, unless it was asked before. */
export function offerInstallation(state: State, memory: vscode.Memento): vscode.Disposable {
  return state.onDidChange(({ server }) => {
    if (server.kind !== 'missing' || server.lack !== 'notInstalled' || memory.get(ASKED) === true) return;
    void memory.update(ASKED, true);
    void ask();
  });
}

async function ask(): Promise<void> {
  const chosen = await inform(
    'Quotaline reads your AI usage with a small Python program that is not on this machine yet. ' +
      "Install it into this extension's own folder?",
    'Install',
    'Choose a Program…',
    'Not Now',
  );
  if (chosen === 'Install') await vscode.commands.executeCommand(Command.installServer);
  if (chosen === 'Choose a Program…') await vscode.commands.executeCommand(Command.chooseServer);
}
