import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLink, cut, markdown, withoutIcons } from '../src/text';

test('short text stays, on one line', () => {
  assert.equal(cut(' Acme\n62% ', 20), 'Acme 62%');
});

test('long text ends in an ellipsis', () => {
  assert.equal(cut('abcdefghij', 5), 'abcd…');
});

test('no emoji and no accent is torn apart', () => {
  assert.equal(cut('👩‍👩‍👧 👩‍👩‍👧 👩‍👩‍👧', 3), '👩‍👩‍👧…');
  assert.equal(cut('e\u0301e\u0301e\u0301e\u0301', 3), 'e\u0301e\u0301…');
});

test('a direction isolate that is cut open is closed', () => {
  assert.equal(cut('\u2068מיכאל בן דוד\u2069 62%', 6), '\u2068מיכא…\u2069');
});

test('icons and Markdown are only text', () => {
  assert.equal(withoutIcons('$(bug)'), '\\$(bug)');
  assert.equal(markdown('[a](b) `c` <d>'), '\\[a\\]\\(b\\) \\`c\\` \\<d\\>');
});

test('a command link carries its arguments', () => {
  assert.equal(commandLink('Refresh', 'quotaline.refresh'), '[Refresh](command:quotaline.refresh)');
  assert.equal(commandLink('Go', 'x.y', 'a b'), '[Go](command:x.y?%5B%22a%20b%22%5D)');
});
