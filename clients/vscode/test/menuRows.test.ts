import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from '../src/commandIds';
import { menuRows, plainText, providerRows, type Line } from '../src/menuRows';
import { readUsage, type ProviderState, type Usage } from '../src/protocol';

const ACME = {
  id: 'acme',
  name: 'Acme',
  plan: 'Team',
  account: 'ann@example.test',
  windows: [{ id: 'session', label: 'Session', text: '62% used, resets in 2h' }],
  balances: [{ id: 'credits', label: 'Credits', text: '$3.00' }],
  dashboardUrl: 'https://acme.example/usage',
};

function usage(...providers: object[]): Usage {
  const reading = readUsage({ version: 1, statusLine: {}, providers });
  assert.equal(reading.kind, 'usage');
  return (reading as { usage: Usage }).usage;
}

function provider(of: object): ProviderState {
  const [one] = usage(of).providers;
  assert.ok(one);
  return one;
}

function labels(lines: readonly Line[]): string[] {
  return lines.map((line) => ('heading' in line ? `-- ${line.heading}` : line.label));
}

test('the menu lists every provider with its numbers, then what can be done', () => {
  const lines = menuRows({ kind: 'running' }, usage(ACME));
  assert.deepEqual(lines[0], {
    label: '$(pass) Acme',
    description: 'Team · ann@example.test',
    detail: 'Session 62% used, resets in 2h  ·  Credits $3.00',
    act: { kind: 'provider', key: 'acme#0' },
    buttons: [
      {
        icon: 'refresh',
        tooltip: 'Refresh',
        act: { kind: 'command', command: Command.refresh, args: ['acme'] },
      },
      {
        icon: 'link-external',
        tooltip: 'Open dashboard',
        act: { kind: 'command', command: Command.openDashboard, args: ['acme'] },
      },
    ],
  });
  for (const label of [
    '$(refresh) Refresh all',
    '$(key) Set credential…',
    '$(json) Open configuration',
    '$(output) Show log',
  ]) {
    assert.ok(labels(lines).includes(label), label);
  }
});

test('what the vendor says of the account stands before its numbers', () => {
  const one = { ...ACME, blocked: 'individual spend limit reached', severity: 'critical' };
  const [row] = menuRows({ kind: 'running' }, usage(one));
  assert.ok(JSON.stringify(row).includes('"Blocked: individual spend limit reached  ·  Session 62% used'));
  assert.equal(labels(providerRows(provider(one)))[0], 'Blocked');
});

test('without a provider the menu tells how to get one', () => {
  const lines = labels(menuRows({ kind: 'running' }, usage()));
  assert.deepEqual(lines.slice(0, 2), ['-- No provider is connected yet', '$(sign-in) Sign in…']);
});

test('without a server the menu offers what helps', () => {
  const missing = labels(menuRows({ kind: 'missing', lack: 'notInstalled', detail: '' }, undefined));
  assert.deepEqual(missing.slice(0, 2), [
    '$(cloud-download) Install the server…',
    '$(folder-opened) Choose the server program…',
  ]);
  const wrong = labels(menuRows({ kind: 'missing', lack: 'wrongPath', detail: '' }, undefined));
  assert.equal(wrong[0], '$(folder-opened) Choose the server program…');
  const ended = labels(menuRows({ kind: 'ended', reason: '', failures: 1, retryAt: 0 }, undefined));
  assert.equal(ended[0], '$(sync) Restart the server');
  assert.ok(!ended.includes('$(refresh) Refresh all'));
});

test('two accounts of one provider are two rows', () => {
  const lines = menuRows({ kind: 'running' }, usage(ACME, { ...ACME, account: 'Work' }));
  const keys = lines
    .slice(0, 2)
    .map((line) => ('act' in line && line.act.kind === 'provider' ? line.act.key : ''));
  assert.deepEqual(keys, ['acme#0', 'acme#1']);
});

test('a provider has its windows and its actions', () => {
  assert.deepEqual(labels(providerRows(provider(ACME))), [
    'Session',
    'Credits',
    '-- Actions',
    '$(refresh) Refresh',
    '$(link-external) Open dashboard',
    '$(copy) Copy',
    '$(sign-in) Sign in',
    '$(key) Set credential…',
    '$(eye-closed) Hide this provider',
    '-- ',
    '$(arrow-left) Back',
  ]);
});

test('a provider that failed offers to sign in first', () => {
  const failed = provider({
    ...ACME,
    error: { kind: 'forbidden', message: 'Not allowed.', hint: 'Run `acme login`.' },
  });
  assert.deepEqual(labels(providerRows(failed)).slice(3, 5), ['-- Actions', '$(sign-in) Sign in']);
  assert.equal(
    plainText(failed),
    'Acme (ann@example.test) · Session 62% used, resets in 2h · Credits $3.00 · Not allowed. Run acme login.',
  );
});
