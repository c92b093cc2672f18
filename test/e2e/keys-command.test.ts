import assert from "node:assert/strict";
import { access, constants, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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
    assert.match(made.stdout, /^sap_[0-9a-f]{16}_[\w-]{43}\n$/);
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

  it("lists keys with what they may do, and takes out those that are revoked", async () => {
    const env = { API_KEYS_FILE: folder.file };
    const limits = "--tokens-per-minute 60000 --expires 9999-01-31";
    const made = await command(`new --name team-a --rights admin,analyze ${limits}`, env);
    const key = made.stdout.trim();
    await command("new --name team-b", env);
    const list = await command("list", env);
    assert.deepEqual([list.code, list.stderr], [0, ""]);
    const [heads, first, second, ...rest] = list.stdout.trimEnd().split("\n");
    assert.match(heads ?? "", /^NAME +ID +RIGHTS +TOKENS\/MINUTE +EXPIRES$/);
    assert.match(first ?? "", /^team-a +[0-9a-f]{16} +admin,analyze +60000 +9999-01-31$/);
    assert.match(second ?? "", /^team-b +[0-9a-f]{16} +analyze +- +never$/);
    assert.deepEqual(rest, []);
    assert.ok(key.includes(first?.split(/ +/)[1] ?? "no id"));
    const entries = JSON.parse(await readFile(folder.file, "utf8")).keys;
    for (const { salt, hash } of entries)
      assert.ok(!list.stdout.includes(salt) && !list.stdout.includes(hash));
    const revoked = await command("revoke --name team-a", env);
    assert.deepEqual([revoked.code, revoked.stdout], [0, ""]);
    assert.match(revoked.stderr, /the key of team-a is no longer in/);
    const again = await command("revoke --name team-a", env);
    assert.deepEqual([again.code, again.stdout], [1, ""]);
    assert.match(again.stderr, /has no key of team-a: sentiment-keys list shows whose it has/);
    assert.doesNotMatch((await command("list", env)).stdout, /team-a/);
  });

  it("makes a key that the client sends, of a file or the environment, and a server asks for", async () => {
    const key = (await command(`new --name team-a --file ${folder.file}`)).stdout;
    const keyFile = join(dirname(folder.file), "key");
    await writeFile(keyFile, key);
    await using server = await startServer({ API_KEYS_FILE: folder.file });
    const client = (args: string, env: Readonly<Record<string, string>> = {}) =>
      start(`node dist/clients/node/cli.js --address ${server.address} ${args} fine`, env).ended;
    for (const { code, stderr } of [
      await client(`--key-file ${keyFile}`),
      await client("", { SENTIMENT_API_KEY: key.trim() }),
      await client(`--key-file ${keyFile}`, { SENTIMENT_API_KEY: "sap_wrong" }),
    ])
      assert.deepEqual([code, stderr], [0, ""]);
    const without = await client("");
    assert.equal(without.code, 1);
    assert.match(without.stderr, /The call has no key/);
    const unsendable: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
      ["--key-file /no/such/file", {}, /--key-file cannot be read/],
      ["--key-file /dev/null", {}, /--key-file \/dev\/null must hold a key, and nothing else/],
      ["", { SENTIMENT_API_KEY: "s3cret\nmore" }, /SENTIMENT_API_KEY must hold a key/],
    ];
    for (const [args, env, fault] of unsendable) {
      const { code, stderr } = await client(args, env);
      assert.equal(code, 2, args);
      assert.match(stderr, fault);
      assert.doesNotMatch(stderr, /s3cret/);
    }
  });

  it("tells what is wrong with its arguments, and how to use it", async () => {
    const cases: readonly (readonly [args: string, fault: RegExp])[] = [
      ["", /say what to do: new, list, revoke/],
      ["old --name a", /say what to do: new/],
      ["toString", /say what to do: new/],
      ["new list --name a", /say what to do: new/],
      ["list --name a", /--name is not for list/],
      ["revoke --name a --rights admin", /--rights is not for revoke/],
      ["revoke", /--name is missing/],
      ["new", /--name is missing/],
      ["new --name 'team a'", /--name team a must be 1 to 64 characters/],
      ["new --name a --rights root", /--rights root is unknown: use analyze,admin/],
      ["new --name a --tokens-per-minute 0", /--tokens-per-minute 0 must be a whole number/],
      ["new --name a --tokens-per-minute 1e3", /--tokens-per-minute 1e3 must be a whole/],
      ["new --name a --expires soon", /--expires soon must be an ISO date/],
      ["new --name a --expires 2020-01-31", /--expires 2020-01-31 is over/],
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
    for (const args of [`list --file ${folder.file}`, `revoke --name a --file ${folder.file}`])
      assert.equal((await command(args)).code, 1, args);
    assert.match(await readFile(folder.file, "utf8"), /^\{"keys": \[\{"name": "a"\}\]\}$/);
    await assert.rejects(
      startServer({ API_KEYS_FILE: folder.file }),
      /the server ended: sentiment: the key file .*keys\.json has faults/,
    );
  });
});
