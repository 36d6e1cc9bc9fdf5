import type { ComponentChildren } from 'preact';

export interface NumberTableProps {
  /** For screen readers, which announce what scrolls by it. */
  readonly label: string;
  readonly caption: ComponentChildren;
  /** Of the names of the rows, and of their numbers. */
  readonly columns: readonly [name: string, ...numbers: string[]];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

/** Numbers by name, scrolled where they are wider than the panel. */
export function NumberTable({ label, caption, columns, rows }: NumberTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard.
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, cells }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map((cell, column) => (
                <td key={columns[column + 1]} class="number">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
