/** Foreign text made fit for the places where VS Code draws it. */

/** What is drawn although Unicode calls it ignorable: emoji are joined and styled, and the server isolates directions. */
const DRAWN = '\u200d\ufe0f\u2068\u2069';

/** Without control characters and without what nobody sees; line breaks and tabs become blanks. */
export function visible(words: string): string {
  return words
    .replace(/\s/g, ' ')
    .replace(/[\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, (char) => (DRAWN.includes(char) ? char : ''));
}

/**
 * Text for notifications, progress and prompts, which draw Markdown links (of commands, too) and know no escape: a blank
 * takes apart what begins one.
 */
export function notification(words: string): string {
  return visible(words).replaceAll('](', '] (').replaceAll('$(', '$ (');
}

const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/** On one line and at most `most` characters long; no accent, emoji or direction isolate is torn apart. */
export function cut(words: string, most: number): string {
  const line = visible(words).replace(/\s+/g, ' ').trim();
  if (line.length <= most) return line;
  let kept = '';
  let count = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    count += 1;
    if (count >= most) return closed(`${kept.trimEnd()}…`);
    kept += segment;
  }
  return line;
}

/** Text for the status bar and for rows of a menu, in which no `$(name)` becomes an icon. */
export function withoutIcons(words: string): string {
  return visible(words).replace(/\$\(/g, '\\$(');
}

/** Text in which no character means anything to Markdown. */
export function markdown(words: string): string {
  return words.replace(/[\\`*_{}[\]()#+\-.!|<>~$&@:]/g, '\\$&');
}

/** A Markdown link that runs a command. */
export function commandLink(label: string, command: string, ...args: unknown[]): string {
  const query = args.length > 0 ? `?${encodeURIComponent(JSON.stringify(args))}` : '';
  return `[${markdown(label)}](command:${command}${query})`;
}

function closed(words: string): string {
  const open = words.split(FIRST_STRONG_ISOLATE).length - words.split(POP_ISOLATE).length;
  return words + POP_ISOLATE.repeat(Math.max(0, open));
}
