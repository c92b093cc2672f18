/** A set of code points, for a class of a regular expression: hexadecimal, single or as first-last, separated by white space. */
export const setOf = (ranges: string): string =>
  ranges
    .trim()
    .split(/\s+/)
    .map((range) =>
      range
        .split("-")
        .map((hex) => `\\u{${hex}}`)
        .join("-"),
    )
    .join("");
