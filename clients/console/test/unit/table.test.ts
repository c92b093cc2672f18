import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { previewAgain, previewOf } from "../../src/file/table.ts";

const fileOf = (content: BlobPart, name = "a.csv") => new File([content], name);
const utf16 = (text: string) =>
  Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

describe("a file's beginning shows", () => {
  for (const [what, content, delimiter, columns] of [
    ["commas", "id,review\n1,good\n2,bad\n", ",", ["id", "review"]],
    [
      "semicolons, though there are commas",
      "id;text\n1;good, cheap\n2;bad, dear\n",
      ";",
      ["id", "text"],
    ],
    ["tabs", "id\ttext\n1\ta\n", "\t", ["id", "text"]],
    ["bars", "id|text\n1|a, b\n", "|", ["id", "text"]],
    ["one column", "review\ngood\nbad\n", ",", ["review"]],
    ["a column without a name", "id,,text\n1,2,a\n", ",", ["id", "column 2", "text"]],
  ] as const)
    it(what, async () => {
      const preview = await previewOf(fileOf(content));
      assert.equal(preview.format.delimiter, delimiter);
      assert.deepEqual(preview.columns, columns);
    });

  it("its encoding", async () => {
    for (const [content, encoding, hasMark] of [
      ["text\ncaf\u00e9\n", "utf-8", false],
      ["\ufefftext\ncaf\u00e9\n", "utf-8", true],
      [Buffer.from("text\ncaf\u00e9\n", "latin1"), "windows-1252", false],
      [utf16("text\ncaf\u00e9\n"), "utf-16le", true],
    ] as const) {
      const { format, columns, rows } = await previewOf(fileOf(content));
      assert.deepEqual([format.encoding, format.hasMark], [encoding, hasMark]);
      assert.deepEqual([columns, rows], [["text"], [["caf\u00e9"]]]);
    }
  });

  it("where the texts are: by name, else by length", async () => {
    assert.equal((await previewOf(fileOf("id,Comment,url\n1,a,long long long\n"))).textColumn, 1);
    assert.equal((await previewOf(fileOf("id,what,n\n1,a longer one,2\n"))).textColumn, 1);
  });

  it("a text a line, in a text file", async () => {
    const { format, columns, rows } = await previewOf(fileOf("good, cheap\nbad\n", "a.txt"));
    assert.deepEqual([format.delimiter, format.hasHeader, columns], ["", false, ["text"]]);
    assert.deepEqual(rows, [["good, cheap"], ["bad"]]);
  });

  it("the same without a header, when it is told so", async () => {
    const file = fileOf("1,good\n2,bad\n");
    const { format } = await previewOf(file);
    const { columns, rows } = await previewAgain(file, { ...format, hasHeader: false });
    assert.deepEqual(
      [columns, rows],
      [
        ["column 1", "column 2"],
        [
          ["1", "good"],
          ["2", "bad"],
        ],
      ],
    );
  });

  it("no more than five rows, and of a large file only its beginning", async () => {
    const line = `1,${"word ".repeat(100)}\n`;
    const preview = await previewOf(fileOf(`id,text\n${line.repeat(10_000)}`));
    assert.equal(preview.rows.length, 5);
    assert.deepEqual((await previewOf(fileOf("text\n"))).rows, []);
    assert.deepEqual((await previewOf(fileOf(""))).columns, []);
  });
});
