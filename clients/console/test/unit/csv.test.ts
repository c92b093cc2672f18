import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CsvReader, type Row } from "../../src/file/csv-reader.ts";
import { csvLine, harmless } from "../../src/file/csv-writer.ts";
import { seeded } from "../support/seeded.ts";

/** Read in one piece, and again character by character: where a chunk is cut must not matter. */
function read(text: string, delimiter = ","): readonly Row[] {
  const whole = new CsvReader(delimiter);
  const rows = [...whole.push(text), ...whole.end()];
  const bitten = new CsvReader(delimiter);
  const bites = [...text].flatMap((character) => bitten.push(character));
  assert.deepEqual([...bites, ...bitten.end()], rows);
  return rows;
}

describe("CSV is read", () => {
  for (const [what, text, rows] of [
    [
      "with each kind of line break",
      "a,b\nc,d\r\ne,f\rg,h",
      [
        ["a", "b"],
        ["c", "d"],
        ["e", "f"],
        ["g", "h"],
      ],
    ],
    [
      "with delimiters, quotes and line breaks in quotes",
      '"a,b","say ""hi""","one\r\ntwo"\nc',
      [["a,b", 'say "hi"', "one\r\ntwo"], ["c"]],
    ],
    ["with empty cells", 'a,,""\n,\n""', [["a", "", ""], ["", ""], [""]]],
    ["without its blank lines", "\n\na\n\r\n\nb\n\n", [["a"], ["b"]]],
    ["with quotes in the middle of a cell", 'a"b",5" disk\nc', [['a"b"', '5" disk'], ["c"]]],
    ["with text behind a closing quote", '"a"b,c', [["ab", "c"]]],
    ["with a quote that is never closed", 'a,"b\nc', [["a", "b\nc"]]],
    ["with emoji", "\u{1F600},\u{1F44D}\u{1F3FD}\n", [["\u{1F600}", "\u{1F44D}\u{1F3FD}"]]],
    ["of nothing", "", []],
  ] as const)
    it(what, () => assert.deepEqual(read(text), rows));

  it("with other delimiters", () => {
    assert.deepEqual(read("a;b,c\n", ";"), [["a", "b,c"]]);
    assert.deepEqual(read("a\tb\n", "\t"), [["a", "b"]]);
  });

  it("as a text a line where there is no delimiter", () => {
    assert.deepEqual(read('"quoted", it said\nplain\n', ""), [['"quoted", it said'], ["plain"]]);
  });

  it("as it was written, whatever is in it and wherever it is cut", () => {
    const random = seeded(7);
    const characters = [...'ab ,;"\n\r\t=-\u{1F600}\u00e9'];
    for (let round = 0; round < 300; round++) {
      const cell = () =>
        Array.from({ length: random(6) }, () => characters[random(characters.length)]).join("");
      const width = 2 + random(4);
      const rows = Array.from({ length: random(5) }, () => Array.from({ length: width }, cell));
      const style = { delimiter: [",", ";", "\t"][random(3)] ?? ",", protect: false };
      const text = rows.map((row) => csvLine(row, style)).join("");
      const reader = new CsvReader(style.delimiter);
      const cut = random(text.length + 1);
      assert.deepEqual(
        [...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut)), ...reader.end()],
        rows,
      );
    }
  });
});

describe("a spreadsheet", () => {
  for (const cell of [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "-",
    "=",
    "-1-1",
    "+",
  ])
    it(`does not run ${JSON.stringify(cell)}`, () => assert.equal(harmless(cell), `'${cell}`));

  for (const cell of [
    "-0.93",
    "+1",
    "-1e-7",
    "-12,5",
    "-5 %",
    "-.5",
    "fine",
    "",
    "a=b",
    " =1",
    "\u2212x",
  ])
    it(`gets ${JSON.stringify(cell)} as it is`, () => assert.equal(harmless(cell), cell));

  it("is protected only where that is asked for", () => {
    assert.equal(csvLine(["=1", "a"], { delimiter: ",", protect: true }), "'=1,a\r\n");
    assert.equal(csvLine(["=1", "a"], { delimiter: ",", protect: false }), "=1,a\r\n");
  });
});
