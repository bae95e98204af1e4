/** The usage report in a tab of its own. It follows the usage as long as it is open. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { serverNotice } from './appearance';
import { readReport, REPORT, type ReportParts } from './protocol';
import { messagePage, reportPage } from './reportPage';
import type { Supervisor } from './server/supervisor';
import type { State } from './state';

const VIEW = 'quotaline.report';

export class Report implements vscode.Disposable, vscode.WebviewPanelSerializer {
  readonly #subscriptions: vscode.Disposable[];
  #panel: vscode.WebviewPanel | undefined;
  /** The style of the page that stands; undefined while it shows no report. */
  #style: string | undefined;
  #content = '';
  #asking = false;
  #again = false;

  constructor(
    private readonly state: State,
    private readonly supervisor: Supervisor,
  ) {
    this.#subscriptions = [
      vscode.window.registerWebviewPanelSerializer(VIEW, this),
      state.onDidChange(() => {
        void this.#update();
      }),
    ];
  }

  /** Open it, or bring it to the front. */
  show(): void {
    if (this.#panel !== undefined) this.#panel.reveal();
    else this.#take(vscode.window.createWebviewPanel(VIEW, 'AI Usage', vscode.ViewColumn.Active, OPTIONS));
  }

  /** VS Code opens it again after a restart. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    panel.webview.options = OPTIONS;
    this.#panel?.dispose();
    this.#take(panel);
    return Promise.resolve();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions).dispose();
    this.#panel?.dispose();
  }

  #take(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#style = undefined;
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#panel = undefined;
    });
    panel.onDidChangeViewState(() => {
      if (panel.visible) this.supervisor.interacted();
    });
    this.supervisor.interacted();
    void this.#update();
  }

  /** Ask for the report; changes that come meanwhile are asked for once more, not once each. */
  async #update(): Promise<void> {
    if (this.#panel === undefined) return;
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    do {
      this.#again = false;
      this.#place(await this.#ask());
    } while (this.#wanted());
    this.#asking = false;
  }

  #wanted(): boolean {
    return this.#again && this.#panel !== undefined;
  }

  async #ask(): Promise<ReportParts | undefined> {
    try {
      const { connection } = this.supervisor;
      if (connection === undefined) return undefined;
      const report = readReport(await connection.request(REPORT, { format: 'fragment' }));
      return report.content === '' ? undefined : report;
    } catch {
      return undefined;
    }
  }

  #place(report: ReportParts | undefined): void {
    const webview = this.#panel?.webview;
    if (webview === undefined) return;
    const nonce = randomBytes(16).toString('base64url');
    if (report === undefined) {
      // A report that stands stays: the status bar tells that there is no new one.
      if (this.#style === undefined) webview.html = messagePage(this.#excuse(), nonce);
    } else if (report.style === this.#style) {
      if (report.content !== this.#content) void webview.postMessage({ content: report.content });
    } else {
      webview.html = reportPage(report, nonce);
      this.#style = report.style;
    }
    this.#content = report?.content ?? this.#content;
  }

  #excuse(): string {
    const notice = serverNotice(this.state.server)?.split('\n')[0];
    return notice?.replace(/\*\*|\\/g, '') ?? 'The report comes as soon as the server runs.';
  }
}

const OPTIONS: vscode.WebviewOptions & vscode.WebviewPanelOptions = {
  enableScripts: true,
  enableFindWidget: true,
  localResourceRoots: [],
};
