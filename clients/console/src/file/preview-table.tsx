import { useId } from "preact/hooks";
import { Check } from "../parts/check.tsx";
import type { Row } from "./csv-reader.ts";
import { type Format, type Preview, previewAgain } from "./table.ts";

const DELIMITER_NAMES: readonly (readonly [string, string])[] = [
  [",", "comma"],
  [";", "semicolon"],
  ["\t", "tab"],
  ["|", "bar"],
  ["", "none: a text a line"],
];
/** Characters of a cell that are shown. */
const SHOWN = 140;

interface Props {
  readonly file: File;
  readonly preview: Preview;
  readonly column: number;
  readonly isBusy: boolean;
  readonly onPreview: (preview: Preview) => void;
  readonly onColumn: (column: number) => void;
}

export function PreviewTable(props: Props) {
  const { file, preview, column, isBusy, onPreview, onColumn } = props;
  const { format, columns, rows } = preview;
  const id = useId();
  const readAs = (changed: Partial<Format>) => {
    void previewAgain(file, { ...format, ...changed }).then(onPreview);
  };
  return (
    <section class="card" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>What is in it</h2>
      <div class="fields">
        <div class="field">
          <label for={`${id}-column`}>Column with the texts</label>
          <select
            id={`${id}-column`}
            value={String(column)}
            disabled={isBusy}
            onChange={({ currentTarget }) => onColumn(Number(currentTarget.value))}
          >
            {columns.map((name, at) => (
              <option key={at} value={String(at)}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for={`${id}-delimiter`}>Delimiter</label>
          <select
            id={`${id}-delimiter`}
            value={format.delimiter}
            disabled={isBusy}
            onChange={({ currentTarget }) => readAs({ delimiter: currentTarget.value })}
          >
            {DELIMITER_NAMES.map(([value, name]) => (
              <option key={name} value={value}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Check
        checked={format.hasHeader}
        disabled={isBusy}
        onChange={(hasHeader) => readAs({ hasHeader })}
      >
        the first line names the columns
      </Check>
      {rows.length === 0 ? (
        <p class="note">There are no rows in it.</p>
      ) : (
        <Rows columns={columns} rows={rows} column={column} />
      )}
    </section>
  );
}

interface RowsProps {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly column: number;
}

/** Wider than a phone: a region that scrolls by itself, by keys as well. */
function Rows({ columns, rows, column }: RowsProps) {
  const classOf = (at: number) => (at === column ? "chosen" : "");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="scroll" tabIndex={0} aria-label="The first rows">
      <table>
        <thead>
          <tr>
            {columns.map((name, at) => (
              <th key={at} scope="col" class={classOf(at)}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, number) => (
            <tr key={number}>
              {columns.map((_, at) => (
                <td key={at} class={classOf(at)} dir="auto">
                  {shortened(row[at] ?? "")}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const shortened = (cell: string): string =>
  cell.length > SHOWN ? `${cell.slice(0, SHOWN).toWellFormed()}…` : cell;
