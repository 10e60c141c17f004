/** A plain mail as HTML beside it: the same words, links that can be clicked, numbered steps as paragraphs. Pure. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\u00a0': '&nbsp;',
};
const LINK = /https?:\/\/[^\s<>"']+/g;

/** Words, or an address that is a link to exactly itself. */
export interface MailPiece {
  readonly text: string;
  readonly isLink: boolean;
}
/** Lines, each a row of pieces. */
export type MailParagraph = readonly (readonly MailPiece[])[];

/** What the page shows, for whoever shows it otherwise than as HTML. */
export function mailParagraphs(body: string): readonly MailParagraph[] {
  return body.split(/\n{2,}/).map((paragraph) => paragraph.split('\n').map(piecesOf));
}

/** Everything is text but addresses. */
export function mailPage(body: string): string {
  const paragraphs = mailParagraphs(body).map(
    (lines) => `<p>${lines.map((pieces) => pieces.map(htmlOf).join('')).join('<br>\n')}</p>`,
  );
  return `<!doctype html>\n<html lang="en"><body>\n${paragraphs.join('\n')}\n</body></html>\n`;
}

function piecesOf(line: string): MailPiece[] {
  const text = line.trimStart();
  const pieces: MailPiece[] = [{ text: '\u00a0'.repeat(line.length - text.length), isLink: false }];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    pieces.push({ text: text.slice(from, found.index), isLink: false }, { text: found[0], isLink: true });
    from = found.index + found[0].length;
  }
  return [...pieces, { text: text.slice(from), isLink: false }].filter((piece) => piece.text !== '');
}

function htmlOf({ text, isLink }: MailPiece): string {
  const words = text.replaceAll(/[&<>"'\u00a0]/g, (mark) => ENTITIES[mark] ?? mark);
  return isLink ? `<a href="${words}">${words}</a>` : words;
}
