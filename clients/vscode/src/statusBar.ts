/** The status bar items. */

import * as vscode from 'vscode';
import { appearances, type Appearance } from './appearance';
import { Command, LINKABLE } from './commandIds';
import { statusBarSettings, type StatusBarSettings } from './settings';
import type { State } from './state';

export class StatusBar implements vscode.Disposable {
  readonly #items = new Map<string, vscode.StatusBarItem>();
  readonly #subscriptions: vscode.Disposable[];
  #settings: StatusBarSettings = statusBarSettings();

  constructor(private readonly state: State) {
    this.#subscriptions = [
      state.onDidChange(() => {
        this.#draw();
      }),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('quotaline.statusBar')) this.#place();
      }),
    ];
    this.#draw();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, ...this.#items.values()).dispose();
  }

  #place(): void {
    this.#settings = statusBarSettings();
    for (const item of this.#items.values()) item.dispose();
    this.#items.clear();
    this.#draw();
  }

  #draw(): void {
    const wanted = appearances(this.state.server, this.state.usage, this.#settings.layout);
    const keys = new Set(wanted.map((one) => one.key));
    for (const [key, item] of this.#items) {
      if (!keys.has(key)) {
        item.dispose();
        this.#items.delete(key);
      }
    }
    wanted.forEach((one, place) => {
      this.#show(one, place);
    });
  }

  #show(one: Appearance, place: number): void {
    const item = this.#items.get(one.key) ?? this.#create(one.key, place);
    item.name = one.name;
    item.text = one.text;
    item.backgroundColor = background(one.emphasis);
    item.tooltip = tooltip(one.tooltip);
    item.accessibilityInformation = { label: one.spoken, role: 'button' };
    item.show();
  }

  #create(key: string, place: number): vscode.StatusBarItem {
    const { alignment, priority } = this.#settings;
    const side = alignment === 'left' ? vscode.StatusBarAlignment.Left : vscode.StatusBarAlignment.Right;
    const item = vscode.window.createStatusBarItem(`quotaline.${key}`, side, priority - place / 100);
    item.command = Command.showMenu;
    this.#items.set(key, item);
    return item;
  }
}

function background(emphasis: Appearance['emphasis']): vscode.ThemeColor | undefined {
  return emphasis === 'none' ? undefined : new vscode.ThemeColor(`statusBarItem.${emphasis}Background`);
}

function tooltip(value: string): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString(value);
  markdown.isTrusted = { enabledCommands: LINKABLE };
  return markdown;
}
