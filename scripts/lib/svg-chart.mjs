/** Bars and lines as SVG: as much of a chart as the bench needs. A chart is `{ height, body }`; `page` stacks them. */

const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 60;
const TOP = 40;
const BOTTOM = 40;
const COLOURS = ['#8c959f', '#54aeff', '#0550ae'];

const escaped = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const text = (x, y, content, extra = '') => `<text x="${x}" y="${y}" ${extra}>${escaped(content)}</text>`;

const short = (value) =>
  value >= 1_000_000
    ? `${value / 1_000_000}M`
    : value >= 1_000
      ? `${Number((value / 1_000).toPrecision(3))}k`
      : String(Number(value.toPrecision(3)));

const plotHeight = HEIGHT - TOP - BOTTOM;
const plotWidth = WIDTH - LEFT - 20;

/** The title and a scale of three lines from zero to `most`. */
function frame(title, most) {
  const lines = [0, 0.5, 1].map((share) => {
    const y = TOP + plotHeight * (1 - share);
    return `<line x1="${LEFT}" x2="${LEFT + plotWidth}" y1="${y}" y2="${y}" stroke="#d0d7de"/>${text(LEFT - 8, y + 4, short(most * share), 'text-anchor="end"')}`;
  });
  return text(LEFT, 20, title, 'font-weight="bold"') + lines.join('');
}

/** `groups: [{ label, bars: [{ label, value }] }]`. Null without a group. */
export function barChart({ title, groups }) {
  if (groups.length === 0) return null;
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value))) || 1;
  const groupWidth = plotWidth / groups.length;
  const drawn = groups.map(({ label, bars }, group) => {
    const barWidth = (groupWidth * 0.8) / bars.length;
    const from = LEFT + group * groupWidth + groupWidth * 0.1;
    const each = bars.map(({ label: name, value }, at) => {
      const height = (plotHeight * value) / most;
      const x = from + at * barWidth;
      const y = TOP + plotHeight - height;
      const middle = x + barWidth / 2;
      return `<rect x="${x}" y="${y}" width="${barWidth - 4}" height="${height}" fill="${COLOURS[at % COLOURS.length]}"/>${text(middle, y - 4, `${name} ${short(value)}`, 'text-anchor="middle"')}`;
    });
    return each.join('') + text(from + groupWidth * 0.4, HEIGHT - 14, label, 'text-anchor="middle"');
  });
  return { height: HEIGHT, body: frame(title, most) + drawn.join('') };
}

/** `points: [{ x, y }]`. Null with fewer than two. */
export function lineChart({ title, points, logX = false }) {
  if (points.length < 2) return null;
  const scale = logX ? Math.log10 : (value) => value;
  const xs = points.map(({ x }) => scale(x));
  const [least, widest] = [Math.min(...xs), Math.max(...xs)];
  const most = Math.max(...points.map(({ y }) => y)) || 1;
  const placed = points.map(({ x, y }) => ({
    left: LEFT + ((scale(x) - least) / (widest - least || 1)) * plotWidth,
    top: TOP + plotHeight * (1 - y / most),
    x,
  }));
  const path = placed.map(({ left, top }) => `${left},${top}`).join(' ');
  const marks = placed.map(
    ({ left, top, x }) =>
      `<circle cx="${left}" cy="${top}" r="3" fill="${COLOURS[2]}"/>${text(left, HEIGHT - 18, short(x), 'text-anchor="middle"')}`,
  );
  const line = `<polyline points="${path}" fill="none" stroke="${COLOURS[2]}" stroke-width="2"/>`;
  return { height: HEIGHT, body: frame(title, most) + line + marks.join('') };
}

/** One picture of several charts, one below the other. */
export function page(charts) {
  const height = charts.reduce((sum, chart) => sum + chart.height, 0);
  let y = 0;
  const placed = charts.map((chart) => {
    const group = `<g transform="translate(0 ${y})">${chart.body}</g>`;
    y += chart.height;
    return group;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f"><title>Benchmarks</title><rect width="100%" height="100%" fill="#ffffff"/>${placed.join('')}</svg>\n`;
}
