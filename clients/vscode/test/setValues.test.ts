import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nested, valueSet } from '../src/setValues';

const KEY = 'quotaline.statusLine.percent';
const HIDE = 'quotaline.hideIdentity';

test('a default is not something that the user has set', () => {
  assert.equal(valueSet(KEY, undefined), undefined);
  assert.equal(valueSet(KEY, {}), undefined);
});

test('the nearest of the values set counts', () => {
  assert.equal(valueSet(KEY, { globalValue: 'left' }), 'left');
  assert.equal(valueSet(KEY, { globalValue: 'left', workspaceValue: 'used' }), 'used');
});

test('a workspace may hide an identity but not show one', () => {
  assert.equal(valueSet(HIDE, { globalValue: true, workspaceValue: false }), true);
  assert.equal(valueSet(HIDE, { workspaceFolderValue: false }), undefined);
  assert.equal(valueSet(HIDE, { globalValue: false, workspaceValue: true }), true);
  assert.equal(valueSet(HIDE, { globalValue: false }), false);
});

test('what is sent has only what is set, in its sections', () => {
  const pairs: [string, unknown][] = [
    ['statusLine.percent', 'left'],
    ['statusLine.maxItems', undefined],
    ['statusLine.providers', ['claude']],
    ['refresh', undefined],
    ['hideIdentity', true],
  ];
  assert.deepEqual(nested(pairs), {
    statusLine: { percent: 'left', providers: ['claude'] },
    hideIdentity: true,
  });
});
