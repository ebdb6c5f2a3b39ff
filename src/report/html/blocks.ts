import type { Block, Cell, Section } from '../sections.ts';
import { html, type Html } from './template.ts';

/** With at least this many columns, a row is shown as a card on a phone. */
const cardColumns = 3;

/** A section with its title; null if it is empty. */
export function sectionHtml({ title, blocks }: Section, before?: Html): Html | null {
  if (blocks.length === 0 && before === undefined) return null;
  return html`<section id="${slug(title)}">
    <h2>${title}</h2>
    ${before}${blocks.map(blockHtml)}
  </section> `;
}

/** A title as a URL fragment. */
export function slug(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function blockHtml(block: Block): Html {
  switch (block.kind) {
    case 'table':
      return tableHtml(block.head, block.rows);
    case 'text':
      return html`<p class="small">${block.text}</p> `;
    case 'list':
      return html`<ul>
        ${block.items.map((item) => html`<li>${item}</li>`)}
      </ul> `;
    case 'title':
      return html`<h3>${block.text}</h3> `;
  }
}

function cellHtml(cell: Cell | Html): Html {
  if (typeof cell === 'string') return html`${cell}`;
  return 'strong' in cell ? html`<strong>${cell.strong}</strong>` : cell;
}

function plainCell(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.strong;
}

/** A table. On a phone, each row of a wide table is a card with the column titles next to the values. */
export function tableHtml(head: readonly Cell[], rows: readonly (readonly (Cell | Html)[])[]): Html {
  const names = head.map(plainCell);
  const titled = names.some((name) => name !== '');
  return html`<table${names.length >= cardColumns && html` class="cards"`}>${
    titled &&
    html`<thead>
      <tr>
        ${names.map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>`
  }<tbody>${rows.map(
    (row) =>
      html`<tr>
        ${row.map((cell, i) =>
          i === 0
            ? html`<th scope="row">${cellHtml(cell)}</th>`
            : html`<td data-name="${names[i] ?? ''}">${cellHtml(cell)}</td>`,
        )}
      </tr> `,
  )}</tbody></table>
`;
}
