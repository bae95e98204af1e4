import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLink, cut, markdown, notification, visible, withoutIcons } from '../src/text';

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

test('what nobody sees is left out', () => {
  assert.equal(visible('a\u200bb\u202ec\u{e0041}d\u{e0100}e\u00adf\x1b[31mg\u3164'), 'abcdef[31mg');
  assert.equal(visible('one\ntwo\tthree'), 'one two three');
  assert.equal(visible('👩\u200d👧 ❤\ufe0f \u2068אב\u2069'), '👩\u200d👧 ❤\ufe0f \u2068אב\u2069');
});

test('a notification holds no link, however it is hidden', () => {
  assert.equal(notification('signed in as [ada](command:x)'), 'signed in as [ada] (command:x)');
  assert.equal(notification('[ada]\u200b(command:x) $\u2060(zap)'), '[ada] (command:x) $ (zap)');
});
