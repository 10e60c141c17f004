/** A plain mail as HTML beside it: the same words, links that can be clicked, numbered steps as paragraphs. Pure. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const LINK = /https?:\/\/[^\s<>"']+/g;

const asText = (text: string): string => text.replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);

/** Everything is text but addresses, which become links to exactly themselves. */
export function mailPage(body: string): string {
  const paragraphs = body.split(/\n{2,}/).map((paragraph) => {
    const lines = paragraph.split('\n').map((line) => {
      const indent = '&nbsp;'.repeat(line.length - line.trimStart().length);
      return `${indent}${linked(line.trimStart())}`;
    });
    return `<p>${lines.join('<br>\n')}</p>`;
  });
  return `<!doctype html>\n<html lang="en"><body>\n${paragraphs.join('\n')}\n</body></html>\n`;
}

function linked(line: string): string {
  let html = '';
  let from = 0;
  for (const found of line.matchAll(LINK)) {
    const address = asText(found[0]);
    html += `${asText(line.slice(from, found.index))}<a href="${address}">${address}</a>`;
    from = found.index + found[0].length;
  }
  return html + asText(line.slice(from));
}
