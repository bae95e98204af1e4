import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  readDocuments,
  readKnownProviders,
  readOutcomes,
  readRestartDue,
  readUsage,
  type Usage,
} from '../src/protocol';

function usage(params: unknown): Usage {
  const reading = readUsage(params);
  assert.equal(reading.kind, 'usage');
  return (reading as { usage: Usage }).usage;
}

test('a notification is read', () => {
  const read = usage({
    version: 1,
    statusLine: { text: 'Acme 62% 2h', severity: 'warning', hover: { kind: 'markdown', value: '### Acme' } },
    providers: [
      {
        id: 'acme',
        name: 'Acme',
        text: 'Acme 62% 2h',
        severity: 'warning',
        hover: { kind: 'markdown', value: '### Acme' },
        account: 'ann@example.test',
        plan: 'Team',
        windows: [{ id: 'session', label: 'Session', text: '62% used, resets in 2h', usedPercent: 62 }],
        balances: [{ id: 'credits', label: 'Credits', amount: 3, unit: 'USD', text: '$3.00' }],
        error: { kind: 'timeout', message: 'No answer.', hint: 'Try again.' },
        dashboardUrl: 'https://acme.example/usage',
      },
    ],
  });
  assert.equal(read.text, 'Acme 62% 2h');
  assert.deepEqual(read.providers[0]?.windows, [{ label: 'Session', text: '62% used, resets in 2h' }]);
  assert.deepEqual(read.providers[0].balances, [{ label: 'Credits', text: '$3.00' }]);
  assert.equal(read.providers[0].error?.kind, 'timeout');
});

test('unknown keys, severities and types do no harm', () => {
  const read = usage({
    version: 1,
    later: { kind: 'unheard of' },
    statusLine: { text: 7, severity: 'purple', hover: null, blink: true },
    providers: [
      null,
      'acme',
      { id: 5 },
      { id: 'acme', windows: 'many', balances: {}, error: 'bad', hover: 'plain' },
    ],
  });
  assert.equal(read.text, '');
  assert.equal(read.severity, 'ok');
  assert.deepEqual(
    read.providers.map((one) => [one.id, one.name, one.hover, one.error, one.windows]),
    [['acme', 'acme', 'plain', undefined, []]],
  );
});

for (const [params, version] of [
  [{ version: 2, providers: [] }, '2'],
  [{ version: '1' }, '1'],
  [{ version: { deep: true } }, 'unknown'],
  [{}, 'unknown'],
  [null, 'unknown'],
  ['1', 'unknown'],
] as const) {
  test(`a message of another version is no usage: ${JSON.stringify(params)}`, () => {
    assert.deepEqual(readUsage(params), { kind: 'otherVersion', version });
  });
}

test('an address that is not of the web is no dashboard', () => {
  const addresses = ['command:evil', 'file:///etc/passwd', 'javascript:alert(1)', 5, null];
  const providers = addresses.map((dashboardUrl, index) => ({ id: `p${index}`, dashboardUrl }));
  for (const one of usage({ version: 1, providers }).providers) assert.equal(one.dashboardUrl, undefined);
});

test('a window without a text is told by its percent', () => {
  const { providers } = usage({
    version: 1,
    providers: [{ id: 'a', windows: [{ id: 'weekly', usedPercent: 17.6 }] }],
  });
  assert.deepEqual(providers[0]?.windows, [{ label: 'weekly', text: '18% used' }]);
});

test('the providers to choose from are read, also from an older server', () => {
  assert.deepEqual(
    readKnownProviders({ providers: [{ id: 'acme', signIn: true, credentials: ['key', 'palm'] }, {}] }),
    [
      {
        id: 'acme',
        name: 'acme',
        summary: '',
        connect: '',
        shown: false,
        signIn: true,
        credentials: ['key'],
        keyUrl: undefined,
        dashboardUrl: undefined,
      },
    ],
  );
  assert.deepEqual(readKnownProviders(undefined), []);
});

test('the reason for a restart is read', () => {
  assert.equal(readRestartDue({ message: 'Quotaline was updated.' }), 'Quotaline was updated.');
  for (const odd of [undefined, null, 'text', {}, { message: 7 }]) assert.equal(readRestartDue(odd), '');
});

test('outcomes and documents are read', () => {
  assert.deepEqual(readOutcomes({ outcomes: [{ id: 'a', ok: false, message: 'No answer.' }, { id: 'b' }] }), [
    { id: 'a', ok: false, message: 'No answer.' },
    { id: 'b', ok: true, message: '' },
  ]);
  assert.deepEqual(readDocuments({ config: 'file:///c.json' }), {
    config: 'file:///c.json',
    report: undefined,
  });
});
