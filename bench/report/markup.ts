/** Pieces of HTML that the sections of the report share. */

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A row with a single cell is a heading within the table. */
export function tableHtml(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = header.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map((cells) =>
    cells.length === 1
      ? `<tr class="group"><th scope="rowgroup" colspan="${header.length}">${escapeHtml(cells[0] ?? '')}</th></tr>`
      : `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

export function section(title: string, note: string, content: string): string {
  return `<section><h2>${escapeHtml(title)}</h2><p class="note">${escapeHtml(note)}</p>${content}</section>`;
}

/** Content that is folded away at first. */
export function folded(summary: string, content: string): string {
  return `<details><summary>${escapeHtml(summary)}</summary>${content}</details>`;
}

/** The few numbers that matter most. */
export function figures(entries: readonly (readonly [value: string, label: string])[]): string {
  const cards = entries.map(
    ([value, label]) => `<div class="figure"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
  );
  return `<div class="figures">${cards.join('')}</div>`;
}

export function notes(sentences: readonly string[]): string {
  return sentences.map((sentence) => `<p class="note">${escapeHtml(sentence)}</p>`).join('');
}
