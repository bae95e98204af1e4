/** The page around the report. Pure: what the server rendered goes in, a whole document comes out. */

import type { ReportParts } from './protocol';

/** Nothing is loaded from anywhere, and only what carries the nonce is style or script. */
export function reportPage(report: ReportParts, nonce: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AI Usage</title>
<style nonce="${nonce}">${report.style.replaceAll('</', '<\\/')}</style>
</head>
<body>
${report.content}
<script nonce="${nonce}">${LIVE}</script>
</body>
</html>
`;
}

/** A page with one sentence, for when there is no report. */
export function messagePage(message: string, nonce: string): string {
  const words = message.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return reportPage(
    { content: `<main class="quotaline"><h1>Quotaline</h1><p>${words}</p></main>`, style: '' },
    nonce,
  );
}

/** Puts a new report in the place of the old one without losing the reader's place. */
const LIVE = `
addEventListener('message', ({ data }) => {
  if (typeof data?.content !== 'string') return;
  const next = new DOMParser().parseFromString(data.content, 'text/html').querySelector('main');
  const now = document.querySelector('main');
  if (next !== null && now !== null) now.replaceWith(document.adoptNode(next));
});
`;
