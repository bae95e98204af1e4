/** The names of our commands. Those that the server knows too have the server's names. */

export const Command = {
  showMenu: 'quotaline.showMenu',
  refresh: 'quotaline.refresh',
  showReport: 'quotaline.showReport',
  copyUsage: 'quotaline.copyUsage',
  openDashboard: 'quotaline.openDashboard',
  signIn: 'quotaline.signIn',
  setCredential: 'quotaline.setCredential',
  enable: 'quotaline.enable',
  disable: 'quotaline.disable',
  openConfig: 'quotaline.openConfig',
  openSettings: 'quotaline.openSettings',
  restartServer: 'quotaline.restartServer',
  installServer: 'quotaline.installServer',
  chooseServer: 'quotaline.chooseServer',
  showLog: 'quotaline.showLog',
} as const;

export type Command = (typeof Command)[keyof typeof Command];

/** What a link in a tooltip may run: nothing that changes the configuration or takes a secret. */
export const LINKABLE: readonly Command[] = [
  Command.showMenu,
  Command.refresh,
  Command.showReport,
  Command.openDashboard,
  Command.signIn,
  Command.openSettings,
  Command.restartServer,
  Command.installServer,
  Command.chooseServer,
  Command.showLog,
];
