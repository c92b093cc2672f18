import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type ScratchFolder, scratchFolder } from "../support/scratch-folder.js";
import { type ServerProcess, startServer } from "../support/server-process.js";

const run = promisify(execFile);
const MOST_BYTES = 256 * 1024;

const PROGRAM = `
import { connect, type Outcome, SentimentError, type Tier } from "sentiment-analyzer-pro";

const tier: Tier = "fast";
const client = connect(process.env["ADDRESS"]);
const { sentiment } = await client.analyze("I love it", { tier });
const [one]: readonly Outcome[] = await client.analyzeBatch(["I hate it"]);
const labels: string[] = [sentiment.label, one?.sentiment?.label ?? "none"];
for await (const outcome of client.analyzeStream(["The list names the parts.", ""])) {
  if (outcome.error) labels.push(outcome.error.reason ?? outcome.error.code);
  else labels.push(outcome.sentiment.label);
}
try {
  await client.analyze("", { deadlineMs: 5000 });
} catch (error) {
  if (error instanceof SentimentError) labels.push(error.code, ...error.fieldViolations.map(({ field }) => field));
}
client.close();
console.log(labels.join(" "));
`;
/** As strict as this project's own; the declarations of packages are checked too. */
const CONFIG = {
  compilerOptions: {
    module: "NodeNext",
    target: "ES2022",
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    typeRoots: [resolve("node_modules/@types")],
    types: ["node"],
  },
};

describe("the package of the Node client", function () {
  this.timeout(180_000);
  let folder: ScratchFolder;
  let server: ServerProcess;
  let tarball: string;
  let user: string;
  before(async () => {
    folder = await scratchFolder();
    const packed = await run("clients/node/pack.sh", [folder.path]);
    tarball = join(folder.path, packed.stdout.trim());
    user = join(folder.path, "user");
    await mkdir(user);
    await writeFile(join(user, "package.json"), '{"private": true, "type": "module"}');
    const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
    // A registry that stalls is asked again, and not for the five minutes of npm's own limit.
    const impatient = ["--fetch-timeout=20000", "--fetch-retries=4"];
    await run("npm", ["install", ...quiet, ...impatient, tarball], { cwd: user });
    server = await startServer({ PREFETCH_MODELS: "false", DEFAULT_TIER: "fast" });
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  const inUser = (command: string, ...args: readonly string[]) =>
    run(command, args, { cwd: user, env: { ...process.env, ADDRESS: server.address } });

  it("holds what the client and the command line need, and no more", async () => {
    const { stdout } = await run("tar", ["-tvzf", tarball]);
    const entries = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/));
    const names = entries.map((entry) => entry.at(-1) ?? "");
    const wanted =
      /^package\/(package\.json|README\.md|LICENSE|dist\/clients\/node\/.+|dist\/server\/gen\/(google|sentiment)\/.+)$/;
    assert.deepEqual(
      names.filter(
        (name) =>
          !wanted.test(name) ||
          /\.map$|\.ts$|example|test|manifest/.test(name.replace(/\.d\.ts$/, "")),
      ),
      [],
    );
    for (const name of ["dist/clients/node/index.d.ts", "dist/clients/node/cli.js"])
      assert.ok(names.includes(`package/${name}`), name);
    const bytes = entries.reduce((sum, entry) => sum + Number(entry[2]), 0);
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
  });

  it("asks for the packages that it imports, as the lock file has them, and no others", async () => {
    const root = JSON.parse(await readFile("package.json", "utf8"));
    const installed = JSON.parse(
      await readFile(join(user, "node_modules", root.name, "package.json"), "utf8"),
    );
    assert.equal(installed.version, root.version);
    assert.deepEqual(
      Object.entries(installed.dependencies),
      [
        ...["@bufbuild/protobuf", "@grpc/grpc-js", "cli-progress", "csv-parse", "csv-stringify"],
        ...["nice-grpc", "nice-grpc-common"],
      ].map((name) => [name, root.dependencies[name]]),
    );
    assert.equal(installed.peerDependenciesMeta["@opentelemetry/api"].optional, true);
  });

  it("is imported by a program in strict TypeScript, which runs", async () => {
    await writeFile(join(user, "program.ts"), PROGRAM);
    await writeFile(join(user, "tsconfig.json"), JSON.stringify(CONFIG));
    await inUser(resolve("node_modules/.bin/tsc"), "-p", ".");
    const { stdout, stderr } = await inUser(process.execPath, "program.js");
    assert.equal(stdout, "positive negative neutral TEXT_EMPTY INVALID_ARGUMENT text\n");
    assert.equal(stderr, "");
  });

  it("is required by a program in CommonJS", async () => {
    const program = 'console.log(typeof require("sentiment-analyzer-pro").connect)';
    const { stdout } = await inUser(process.execPath, "--input-type=commonjs", "--eval", program);
    assert.equal(stdout, "function\n");
  });

  it("brings the command line", async () => {
    const command = join(user, "node_modules/.bin/sentiment");
    const { stdout } = await inUser(command, "--address", server.address, "I love it");
    assert.match(stdout, /^POSITIVE .*I love it\n$/);
  });
});

describe("the example program of the Node client", function () {
  this.timeout(30_000);

  it("writes one object a line by either way", async () => {
    await using server = await startServer({ PREFETCH_MODELS: "false", DEFAULT_TIER: "fast" });
    await using folder = await scratchFolder();
    const file = join(folder.path, "texts.txt");
    await writeFile(file, "I love it\n\nI hate it\n");
    const asked = async (mode: string) => {
      const program = "dist/clients/node/examples/sentiments.js";
      const args = [program, file, "--address", server.address, "--tier", "fast", "--mode", mode];
      const { stdout } = await run(process.execPath, args);
      return stdout;
    };
    const lines = (await asked("batch"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ index, label, error }) => [index, label, error]),
      [
        [0, "LABEL_POSITIVE", undefined],
        [1, undefined, "TEXT_EMPTY"],
        [2, "LABEL_NEGATIVE", undefined],
      ],
    );
    assert.deepEqual(Object.keys(lines[0]), [
      "index",
      "label",
      "score",
      "confidence",
      "token_count",
    ]);
    assert.equal(Math.fround(lines[0].score), lines[0].score);
    assert.equal(await asked("stream"), await asked("batch"));
  });
});
