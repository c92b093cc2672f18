import { bytes } from "../parts/format.ts";

interface Props {
  readonly file: File | undefined;
  readonly isBusy: boolean;
  readonly onFile: (file: File) => void;
}

export function FilePick({ file, isBusy, onFile }: Props) {
  return (
    <section class="card" aria-label="File">
      <div class="field">
        <label for="file-input">A CSV file, or a text file with a text a line</label>
        <input
          id="file-input"
          type="file"
          accept=".csv,.tsv,.txt,.text,text/csv,text/plain,text/tab-separated-values"
          disabled={isBusy}
          aria-describedby="file-hint"
          onClick={({ currentTarget }) => {
            // So that the same file can be picked again.
            currentTarget.value = "";
          }}
          onChange={({ currentTarget: { files } }) => {
            const picked = files?.[0];
            if (picked !== undefined) onFile(picked);
          }}
        />
        <p id="file-hint" class="hint">
          Or drop it anywhere on this page. It is read piece by piece, so it may be large; its texts
          go to your server and nowhere else.
        </p>
      </div>
      {file !== undefined && (
        <p class="file-name">
          <b>{file.name}</b> <span class="quiet">{bytes(file.size)}</span>
        </p>
      )}
    </section>
  );
}
