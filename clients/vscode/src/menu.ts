/** The quick pick behind the status bar item: all providers with their usage, and everything that can be done. */

import * as vscode from 'vscode';
import { keyOf, menuRows, providerRows, type Act, type Line } from './menuRows';
import type { ProviderState } from './protocol';
import type { State } from './state';
import { notification } from './text';

interface Item extends vscode.QuickPickItem {
  readonly act?: Act;
  readonly acts?: readonly Act[];
}

/** Open it; it follows the state while it is open. */
export function showMenu(state: State): void {
  const pick = vscode.window.createQuickPick<Item>();
  let shown: string | undefined;
  const draw = (): void => {
    const provider = shown === undefined ? undefined : find(state, shown);
    const active = pick.activeItems[0]?.label;
    pick.title = provider === undefined ? 'AI Usage' : notification(`AI Usage: ${provider.name}`);
    pick.placeholder = provider === undefined ? 'Choose a provider or an action' : 'Choose an action';
    pick.items = (provider === undefined ? menuRows(state.server, state.usage) : providerRows(provider)).map(
      toItem,
    );
    pick.activeItems = pick.items.filter((item) => item.label === active).slice(0, 1);
  };
  const act = (chosen: Act | undefined): void => {
    if (chosen?.kind === 'provider' || chosen?.kind === 'back') {
      shown = chosen.kind === 'provider' ? chosen.key : undefined;
      pick.value = '';
      draw();
    } else {
      pick.hide();
      if (chosen !== undefined) void carryOut(chosen);
    }
  };
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  const following = state.onDidChange(draw);
  pick.onDidAccept(() => {
    act(pick.selectedItems[0]?.act);
  });
  pick.onDidTriggerItemButton(({ item, button }) => {
    const chosen = item.acts?.[item.buttons?.indexOf(button) ?? -1];
    if (chosen !== undefined) void carryOut(chosen);
  });
  pick.onDidHide(() => {
    following.dispose();
    pick.dispose();
  });
  draw();
  pick.show();
}

async function carryOut(act: Act): Promise<void> {
  switch (act.kind) {
    case 'command':
      await vscode.commands.executeCommand(act.command, ...act.args);
      break;
    case 'copy':
      await vscode.env.clipboard.writeText(act.text);
      break;
    case 'provider':
    case 'back':
      break;
  }
}

function find(state: State, key: string): ProviderState | undefined {
  const all = state.usage?.providers ?? [];
  return all.find((provider) => keyOf(provider, all) === key);
}

function toItem(line: Line): Item {
  if ('heading' in line) return { label: line.heading, kind: vscode.QuickPickItemKind.Separator };
  return {
    label: line.label,
    act: line.act,
    ...(line.description === undefined ? {} : { description: line.description }),
    ...(line.detail === undefined ? {} : { detail: line.detail }),
    ...(line.buttons === undefined
      ? {}
      : {
          acts: line.buttons.map((button) => button.act),
          buttons: line.buttons.map(({ icon, tooltip }) => ({
            iconPath: new vscode.ThemeIcon(icon),
            tooltip,
          })),
        }),
  };
}
