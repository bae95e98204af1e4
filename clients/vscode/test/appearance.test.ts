import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appearances, serverNotice, type Appearance } from '../src/appearance';
import { readUsage, type Usage } from '../src/protocol';
import type { ServerState } from '../src/state';

const RUNNING: ServerState = { kind: 'running' };

function usage(line: object, ...providers: object[]): Usage {
  const reading = readUsage({ version: 1, statusLine: line, providers });
  assert.equal(reading.kind, 'usage');
  return (reading as { usage: Usage }).usage;
}

function only(server: ServerState, told?: Usage): Appearance {
  const [item, ...more] = appearances(server, told, 'combined');
  assert.ok(item !== undefined && more.length === 0);
  return item;
}

test('the combined item shows the line and its severity', () => {
  const ok = only(RUNNING, usage({ text: 'Acme 62%', severity: 'ok' }));
  assert.equal(ok.text, '$(dashboard) Acme 62%');
  assert.equal(ok.emphasis, 'none');
  assert.equal(only(RUNNING, usage({ text: 'Acme 85%', severity: 'warning' })).emphasis, 'warning');
  assert.equal(only(RUNNING, usage({ text: 'Acme 99%', severity: 'critical' })).emphasis, 'error');
  assert.equal(only(RUNNING, usage({ text: 'Acme 62%', severity: 'stale' })).text, '$(history) Acme 62%');
  assert.match(only(RUNNING, usage({ text: 'Acme 85%', severity: 'warning' })).spoken, /Acme 85%, warning/);
});

test('an empty list of providers shows what the server says', () => {
  const told = usage({ text: 'Quotaline: no providers', severity: 'empty', hover: 'Sign in.' });
  for (const layout of ['combined', 'perProvider'] as const) {
    const [item] = appearances(RUNNING, told, layout);
    assert.equal(item?.text, '$(dashboard) Quotaline: no providers');
    assert.match(item.tooltip, /^Sign in\./);
  }
});

test('each provider can have its own item, and each account, too', () => {
  const told = usage(
    { text: 'all' },
    { id: 'a', text: 'A 5%' },
    { id: 'b', text: 'B 99%', severity: 'critical' },
    { id: 'a' },
  );
  const items = appearances(RUNNING, told, 'perProvider');
  assert.deepEqual(
    items.map((item) => item.key),
    ['a', 'b', 'a#2'],
  );
  assert.deepEqual(
    items.map((item) => item.emphasis),
    ['none', 'error', 'none'],
  );
  assert.match(items[1]?.tooltip ?? '', /command:quotaline\.refresh\?%5B%22b%22%5D/);
});

test('a restart that is due stands above the usage until it is done', () => {
  const due: Usage = {
    ...usage({ text: 'A 5%', hover: '### A' }, { id: 'a' }),
    restartDue: 'A [new] version.',
  };
  for (const layout of ['combined', 'perProvider'] as const) {
    const [item] = appearances(RUNNING, due, layout);
    const [told, link] = (item?.tooltip ?? '').split('\n\n');
    assert.equal(told, '**A \\[new\\] version\\.**');
    assert.equal(link, '[Restart now](command:quotaline.restartServer)');
  }
  assert.doesNotMatch(only({ kind: 'starting' }, due).tooltip, /Restart now/);
});

test('very long names are cut', () => {
  const name = 'Wonderful '.repeat(60);
  const told = usage({ text: name }, { id: 'a', name, text: name });
  assert.ok(only(RUNNING, told).text.length < 140);
  assert.ok((appearances(RUNNING, told, 'perProvider')[0]?.text.length ?? 999) < 70);
});

test('foreign text makes no icon', () => {
  assert.equal(only(RUNNING, usage({ text: 'a $(bug) b' })).text, '$(dashboard) a \\$(bug) b');
});

test('a provider without a login has a link to sign in', () => {
  const error = { kind: 'expired_credential', message: 'Expired.', hint: '' };
  const { tooltip } = only(RUNNING, usage({ text: 'x' }, { id: 'acme', name: 'Acme [x](y)', error }));
  assert.match(tooltip, /\[Sign in to Acme \\\[x\\\]\\\(y\\\)\]\(command:quotaline\.signIn\?/);
});

test('the last usage stays while the server is started again, with a word about it', () => {
  const ended: ServerState = { kind: 'ended', reason: 'exit code 1', failures: 1, retryAt: 0 };
  const item = only(ended, usage({ text: 'Acme 62%', severity: 'ok', hover: 'Hover' }));
  assert.equal(item.text, '$(sync~spin) Acme 62%');
  assert.match(item.tooltip, /ended unexpectedly.*exit code 1[^]*Hover/);
});

test('a server that keeps ending is told as stopped', () => {
  const ended: ServerState = { kind: 'ended', reason: 'exit code 1', failures: 3, retryAt: 0 };
  assert.equal(only(ended, usage({ text: 'Acme 62%' })).text, '$(warning) Quotaline: stopped');
});

const TROUBLES: [ServerState, string, RegExp][] = [
  [{ kind: 'starting' }, '$(loading~spin) AI usage', /starting/],
  [
    { kind: 'installing', step: 'installing packages' },
    '$(loading~spin) Quotaline: installing',
    /installing packages/,
  ],
  [
    { kind: 'ended', reason: 'exit code 7', failures: 1, retryAt: 0 },
    '$(warning) Quotaline: restarting',
    /restartServer/,
  ],
  [{ kind: 'otherVersion', version: '2' }, '$(warning) Quotaline: update needed', /version 2/],
  [
    { kind: 'missing', lack: 'notInstalled', detail: '' },
    '$(warning) Quotaline: not installed',
    /installServer/,
  ],
  [
    { kind: 'missing', lack: 'wrongPath', detail: '/x' },
    '$(warning) Quotaline: server not found',
    /chooseServer/,
  ],
  [{ kind: 'missing', lack: 'noPython', detail: 'None.' }, '$(warning) Quotaline: needs Python', /3\.11/],
  [{ kind: 'missing', lack: 'installFailed', detail: 'Oh.' }, '$(warning) Quotaline: install failed', /Oh/],
];
for (const [server, text, tooltip] of TROUBLES) {
  test(`short and honest: ${text}`, () => {
    const item = only(server);
    assert.equal(item.text, text);
    assert.equal(item.emphasis, 'none');
    assert.match(item.tooltip, tooltip);
  });
}

test('nothing is said of a server that runs', () => {
  assert.equal(serverNotice(RUNNING), undefined);
});
