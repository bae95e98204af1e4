/** Letting the user choose one of the providers there are. */

import * as vscode from 'vscode';
import type { KnownProvider } from './protocol';
import { withoutIcons } from './text';

interface Item extends vscode.QuickPickItem {
  readonly provider: KnownProvider;
}

/** One of them, those that are shown first; undefined when the user thinks better of it. */
export async function chooseProvider(
  title: string,
  providers: readonly KnownProvider[],
  tell: (provider: KnownProvider) => string = (provider) => provider.summary,
): Promise<KnownProvider | undefined> {
  const item = (provider: KnownProvider): Item => ({
    label: withoutIcons(provider.name),
    detail: withoutIcons(tell(provider)),
    provider,
  });
  const shown = providers.filter((one) => one.shown).map(item);
  const rest = providers.filter((one) => !one.shown).map(item);
  const both = shown.length > 0 && rest.length > 0;
  const items: (Item | vscode.QuickPickItem)[] = [
    ...(both ? [heading('Shown')] : []),
    ...shown,
    ...(both ? [heading('Others')] : []),
    ...rest,
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: items.length > 0 ? 'Choose a provider' : 'There is none to choose',
    matchOnDetail: true,
  });
  return chosen !== undefined && 'provider' in chosen ? chosen.provider : undefined;
}

function heading(label: string): vscode.QuickPickItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
