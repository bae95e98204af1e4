import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagePage, reportPage } from '../src/reportPage';

test('only what carries the nonce is style or script, and nothing is loaded', () => {
  const page = reportPage({ content: '<main>x</main>', style: 'p{}' }, 'N0nce');
  assert.match(page, /content="default-src 'none'; style-src 'nonce-N0nce'; script-src 'nonce-N0nce'"/);
  assert.equal(page.match(/<(style|script)/g)?.length, 2);
  assert.equal(page.match(/<(style|script) nonce="N0nce"/g)?.length, 2);
  assert.doesNotMatch(page, /https?:|unsafe/);
});

test('a style sheet cannot end its element', () => {
  assert.doesNotMatch(reportPage({ content: '', style: '</style><img src=x>' }, 'n'), /<\/style><img/);
});

test('a message is only text', () => {
  assert.match(messagePage('a <b> & "c"', 'n'), /a &#60;b&#62; &#38; &#34;c&#34;/);
});
