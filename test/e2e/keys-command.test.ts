import assert from "node:assert/strict";
import { access, constants, writeFile } from "node:fs/promises";
import { createChannel, createClient, Metadata } from "nice-grpc";
import { SentimentServiceDefinition } from "../../server/gen/sentiment/v1/sentiment.js";
import { type KeyFolder, keyFolder } from "../support/key-folder.js";
import { start, startServer } from "../support/server-process.js";

const CLI = "dist/server/keys-cli.js";

describe("npx sentiment-keys", function () {
  this.timeout(30_000);
  let folder: KeyFolder;
  beforeEach(async () => {
    folder = await keyFolder();
  });
  afterEach(() => folder[Symbol.asyncDispose]());
  const command = (args: string, env: Readonly<Record<string, string>> = {}) =>
    start(`node ${CLI} ${args}`, env).ended;

  it("makes a key that the server answers to", async () => {
    await access(CLI, constants.X_OK);
    const made = await command(`new --name team-a --rights analyze,admin --file ${folder.file}`);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^sap_[\w-]{43}\n$/);
    assert.match(made.stderr, /the key of team-a \(analyze, admin\) is shown this once/);
    await using server = await startServer({ API_KEYS_FILE: folder.file });
    const channel = createChannel(server.address);
    const client = createClient(SentimentServiceDefinition, channel);
    const metadata = Metadata({ "x-api-key": made.stdout.trim() });
    assert.equal((await client.listModels({}, { metadata })).models.length, 3);
    channel.close();
  });

  it("takes the file of API_KEYS_FILE, and gives the right to analyze, where nothing is said", async () => {
    const { code, stderr } = await command("new --name team-a", { API_KEYS_FILE: folder.file });
    assert.equal(code, 0);
    assert.match(stderr, /\(analyze\)/);
    const again = await command("new --name team-a", { API_KEYS_FILE: folder.file });
    assert.deepEqual([again.code, again.stdout], [1, ""]);
    assert.match(again.stderr, /has a key of team-a already: take another name/);
  });

  it("tells what is wrong with its arguments, and how to use it", async () => {
    const cases: readonly (readonly [args: string, fault: RegExp])[] = [
      ["", /say what to do: new/],
      ["old --name a", /say what to do: new/],
      ["new", /--name is missing/],
      ["new --name 'team a'", /--name team a must be 1 to 64 characters/],
      ["new --name a --rights root", /--rights root is unknown: use analyze,admin/],
      ["new --name a --colour red", /--colour/],
    ];
    for (const [args, fault] of cases) {
      const { code, stdout, stderr } = await command(args, { API_KEYS_FILE: folder.file });
      assert.deepEqual([code, stdout], [2, ""], args);
      assert.match(stderr, fault);
      assert.match(stderr, /sentiment-keys new --name NAME/);
    }
    await assert.rejects(access(folder.file));
    const help = await command("--help");
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, /--rights analyze,admin/);
  });

  it("leaves a broken file, and a server does not start with it", async () => {
    await writeFile(folder.file, '{"keys": [{"name": "a"}]}');
    const { code, stderr } = await command(`new --name b --file ${folder.file}`);
    assert.equal(code, 1);
    assert.match(stderr, /keys\.json has faults: [\s\S]*keys\[0\] \(a\), salt/);
    await assert.rejects(
      startServer({ API_KEYS_FILE: folder.file }),
      /the server ended: sentiment: the key file .*keys\.json has faults/,
    );
  });
});
