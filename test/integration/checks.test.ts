import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { withSettingsTable } from "../../docs/settings-table.js";

const TOOLS = resolve("node_modules/.bin");

/** Runs a tool; resolves with whether it was content, and all that it said. */
const run = (tool: string, args: readonly string[], cwd: string) =>
  new Promise<{ content: boolean; said: string }>((done) => {
    execFile(join(TOOLS, tool), args, { cwd }, (error, stdout, stderr) =>
      done({ content: error === null, said: stdout + stderr }),
    );
  });

/** A folder with the given files, removed after `work`. */
async function inFolder<T>(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<T>,
) {
  const folder = await mkdtemp(join(tmpdir(), "sentiment-checks-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the import rules", function () {
  this.timeout(30_000);

  /** What Biome, with the project's configuration, says of an import in a file at that place. */
  async function lint(place: string, imported: string) {
    const config = JSON.parse(await readFile("biome.json", "utf8"));
    const files = {
      "biome.json": JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false } }),
      [place]: `import type { Planted } from "${imported}";\n\nexport type Other = Planted;\n`,
    };
    return inFolder(files, (folder) => run("biome", ["lint", place], folder));
  }

  const forbidden: readonly (readonly [place: string, imported: string])[] = [
    ["server/core/planted.ts", "../batch/plan.js"],
    ["server/core/planted.ts", "zod"],
    ["server/batch/planted.ts", "../backend/backend.js"],
    ["server/batch/planted.ts", "pino"],
    ["server/tokenize/planted.ts", "../batch/plan.js"],
    ["server/backend/planted.ts", "../classify/classifier.js"],
    ["server/backend/planted.ts", "onnxruntime-node"],
    ["server/backend/embedded/planted.ts", "../../batch/plan.js"],
    ["server/backend/embedded/planted.ts", "nice-grpc"],
    ["server/backend/repository/planted.ts", "onnxruntime-node"],
    ["server/classify/planted.ts", "../backend/backend.js"],
    ["server/classify/planted.ts", "../rpc/status.js"],
    ["server/classify/planted.ts", "onnxruntime-node"],
    ["server/rpc/planted.ts", "../batch/batcher.js"],
    ["server/rpc/planted.ts", "prom-client"],
    ["server/rpc/keys/planted.ts", "nice-grpc"],
    ["server/rpc/keys/planted.ts", "../status.js"],
    ["server/keys-cli.ts", "./rpc/grpc-server.js"],
    ["server/rpc/kserve/planted.ts", "../../batch/batcher.js"],
    ["server/rpc/kserve/planted.ts", "nice-grpc"],
    ["server/observe/planted.ts", "../rpc/status.js"],
    ["server/observe/planted.ts", "nice-grpc"],
    ["server/quota/planted.ts", "../rpc/status.js"],
    ["server/quota/planted.ts", "../cache/redis-quota.js"],
    ["server/main.ts", "./batch/batcher.js"],
    ["server/app.ts", "./main.js"],
  ];
  for (const [place, imported] of forbidden) {
    it(`${place} may not import ${imported}`, async () => {
      const { content, said } = await lint(place, imported);
      assert.ok(!content && said.includes("noRestrictedImports"), said);
    });
  }

  const allowed: readonly (readonly [place: string, imported: string])[] = [
    ["server/core/planted.ts", "node:fs"],
    ["server/core/planted.ts", "./clock.js"],
    ["server/batch/planted.ts", "../core/clock.js"],
    ["server/tokenize/planted.ts", "@huggingface/tokenizers"],
    ["server/backend/embedded/planted.ts", "onnxruntime-node"],
    ["server/backend/embedded/planted.ts", "../backend.js"],
    ["server/backend/repository/planted.ts", "protobufjs/ext/textformat.js"],
    ["server/classify/planted.ts", "../tokenize/tokenizer.js"],
    ["server/rpc/planted.ts", "../gen/sentiment/v1/sentiment.js"],
    ["server/rpc/planted.ts", "nice-grpc-common"],
    ["server/rpc/keys/planted.ts", "zod"],
    ["server/rpc/planted.ts", "./keys/keys.js"],
    ["server/keys-cli.ts", "./rpc/keys/new-key.js"],
    ["server/rpc/kserve/planted.ts", "../validate.js"],
    ["server/observe/planted.ts", "pino"],
    ["server/observe/planted.ts", "prom-client"],
    ["server/quota/planted.ts", "../core/clock.js"],
    ["server/rpc/planted.ts", "../quota/quota.js"],
    ["server/app.ts", "./rpc/grpc-server.js"],
  ];
  for (const [place, imported] of allowed) {
    it(`${place} may import ${imported}`, async () => {
      const { content, said } = await lint(place, imported);
      assert.ok(content, said);
    });
  }
});

describe("the check of the API", function () {
  this.timeout(30_000);

  /** What `buf` says after the sentiment proto has been changed. */
  const buf = (change: (proto: string) => string, args: readonly string[]) =>
    inFolder({}, async (folder) => {
      await cp("proto", join(folder, "proto"), { recursive: true });
      await symlink(resolve("node_modules"), join(folder, "node_modules"));
      const file = join(folder, "proto/sentiment/v1/sentiment.proto");
      await writeFile(file, change(await readFile(file, "utf8")));
      return run("buf", args, folder);
    });
  const BREAKING = ["breaking", "proto", "--against", "proto/released.binpb"];

  it("finds a field that has changed its number", async () => {
    const { content, said } = await buf(
      (proto) => proto.replace("string text = 1;", "string text = 9;"),
      BREAKING,
    );
    assert.ok(!content && said.includes("AnalyzeRequest"), said);
  });

  it("lets a new field pass", async () => {
    const added = (proto: string) =>
      proto.replace("string text = 1;", "string text = 1;\n  string note = 9;");
    const { content, said } = await buf(added, BREAKING);
    assert.ok(content, said);
  });

  it("finds a name against the rules", async () => {
    const { content, said } = await buf(
      (proto) => proto.replace("TIER_FAST = 1", "SPEEDY = 1"),
      ["lint", "proto"],
    );
    assert.ok(!content && said.includes("TIER_"), said);
  });
});

describe("the README", () => {
  it("has the table of settings that the schema gives", async () => {
    const readme = await readFile("README.md", "utf8");
    assert.equal(readme, withSettingsTable(readme), "run make docs");
    assert.match(readme, /^\| GRPC_PORT \| 50051 \| /m);
  });

  it("links to files that are there", async () => {
    const readme = await readFile("README.md", "utf8");
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link ?? "");
    assert.ok(links.length > 5);
    await Promise.all(links.map((link) => access(link)));
  });
});
