import { escapeMarkup } from './markup.ts';
import { dataUrl, type Picture } from './picture.ts';

export interface ImageTable {
  readonly title: string;
  /** a sentence or two below the title */
  readonly notes?: readonly string[];
  /** above the columns */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly heading: string; readonly pictures: readonly (Picture | undefined)[] }[];
}

/** pictures smaller than this are shown enlarged, pixel by pixel */
const SMALL = 96;

const STYLE = `
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px; }
h1 { font-size: 20px; margin: 0 0 4px; }
p { margin: 0 0 4px; max-width: 70em; }
table { border-collapse: collapse; margin-top: 16px; }
th { font-weight: 500; padding: 4px 6px; text-align: center; vertical-align: bottom; }
tbody th { max-width: 16em; overflow-wrap: anywhere; text-align: right; vertical-align: middle; }
td { padding: 3px; text-align: center; vertical-align: middle; }
img { display: block; margin: auto; max-width: 256px; height: auto; outline: 1px solid #8886; }
img.small { image-rendering: pixelated; }`;

/** A page of its own, without scripts and without anything fetched: a table of pictures. */
export async function imagePage({ title, notes = [], columns, rows }: ImageTable): Promise<string> {
  const heads = ['', ...columns].map((name) => `<th scope="col">${escapeMarkup(name)}</th>`).join('');
  const body: string[] = [];
  for (const { heading, pictures } of rows) {
    const cells = await Promise.all(
      columns.map(async (column, i) => `<td>${await image(pictures[i], `${heading}, ${column}`)}</td>`),
    );
    body.push(`<tr><th scope="row">${escapeMarkup(heading)}</th>${cells.join('')}</tr>`);
  }
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeMarkup(title)}</h1>
${notes.map((note) => `<p>${escapeMarkup(note)}</p>`).join('\n')}
<table><thead><tr>${heads}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></body></html>
`;
}

async function image(picture: Picture | undefined, name: string): Promise<string> {
  if (!picture) return '';
  const { width, height } = picture;
  const factor = Math.max(1, Math.floor(SMALL / Math.max(width, height)));
  const size = `width="${width * factor}" height="${height * factor}"`;
  return `<img ${factor > 1 ? 'class="small" ' : ''}${size} alt="${escapeMarkup(name)}" src="${await dataUrl(picture)}">`;
}
