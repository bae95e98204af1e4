/** What is said to the user. Texts come from vendors as well: nothing in them is a link, an icon or hidden. */

import * as vscode from 'vscode';
import { notification, withoutIcons } from './text';

export function inform(words: string, ...actions: string[]): Thenable<string | undefined> {
  return vscode.window.showInformationMessage(notification(words), ...actions);
}

export function warn(words: string, ...actions: string[]): Thenable<string | undefined> {
  return vscode.window.showWarningMessage(notification(words), ...actions);
}

export function complain(words: string): void {
  void vscode.window.showErrorMessage(notification(words));
}

/** In the status bar, for a moment. */
export function mention(words: string, milliseconds: number): void {
  vscode.window.setStatusBarMessage(withoutIcons(words), milliseconds);
}
