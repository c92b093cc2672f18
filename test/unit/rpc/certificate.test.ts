import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../../../server/core/errors.js";
import { type CertificateFiles, readCertificate } from "../../../server/rpc/certificate.js";
import { type Certificates, certificates, type Pair } from "../../support/certificates.js";

const DAY_MS = 24 * 3600 * 1000;

describe("readCertificate", function () {
  this.timeout(20_000);
  let made: Certificates;
  let ca: Pair;
  let server: Pair;
  before(async () => {
    made = await certificates();
    ca = await made.make("ca", { days: 2 });
    server = await made.make("server", { by: ca, days: 30 });
  });
  after(() => made[Symbol.asyncDispose]());

  const read = (files: Partial<CertificateFiles> = {}) =>
    readCertificate({ ...server, clientCa: undefined, ...files });
  const faultsOf = async (files: Partial<CertificateFiles>) => {
    const error = await read(files).then(
      () => assert.fail("it was read"),
      (error: unknown) => error,
    );
    assert.ok(error instanceof StartupError, String(error));
    const [head, ...faults] = error.message.split("\n  ");
    assert.equal(head, "TLS cannot be served:");
    return faults;
  };
  /** A file in the folder with that text. */
  const file = async (name: string, text: string) => {
    const path = join(made.folder, name);
    await writeFile(path, text);
    return path;
  };
  const daysLeft = (ms: number) => Math.round((ms - Date.now()) / DAY_MS);

  it("tells whom the certificate is for, and until when", async () => {
    const { names, validUntilMs, context } = await read({ clientCa: ca.cert });
    assert.equal(names, "DNS:localhost, IP Address:127.0.0.1");
    assert.equal(daysLeft(validUntilMs), 30);
    assert.equal(context.minVersion, "TLSv1.2");
    assert.deepEqual(context.ca, await readFile(ca.cert));
  });

  it("ends with the first of its chain that ends", async () => {
    const chain = await file(
      "chain.pem",
      `${await readFile(server.cert, "utf8")}${await readFile(ca.cert, "utf8")}`,
    );
    const { names, validUntilMs } = await read({ cert: chain });
    assert.equal(names, "DNS:localhost, IP Address:127.0.0.1");
    assert.equal(daysLeft(validUntilMs), 2);
  });

  it("names all files that cannot be used at once, with their settings", async () => {
    const garbage = await file("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    const faults = await faultsOf({ cert: "none.pem", key: garbage, clientCa: garbage });
    assert.equal(faults.length, 3);
    assert.match(faults[0] ?? "", /^TLS_CERT none.pem cannot be used \(ENOENT.*\): name a PEM/);
    assert.match(faults[1] ?? "", /^TLS_CLIENT_CA .*garbage.pem .*no certificate in PEM/);
    assert.match(faults[2] ?? "", /^TLS_KEY .*garbage.pem cannot be used/);
  });

  it("names a key that is another certificate's", async () => {
    const [fault] = await faultsOf({ key: ca.key });
    assert.match(fault ?? "", /^TLS_KEY .*ca.key is not the key of TLS_CERT .*server.pem: name/);
  });

  it("names a key that is encrypted", async () => {
    const locked = join(made.folder, "locked.key");
    const args = ["pkey", "-in", server.key, "-aes256", "-passout", "pass:x", "-out", locked];
    execFileSync("openssl", args);
    assert.match((await faultsOf({ key: locked }))[0] ?? "", /^TLS_KEY .*not encrypted$/);
  });

  it("names a certificate that OpenSSL does not serve", async () => {
    const [cert, key] = [join(made.folder, "weak.pem"), join(made.folder, "weak.key")];
    const small = ["-newkey", "rsa:512", "-nodes", "-keyout", key, "-out", cert];
    execFileSync("openssl", ["req", "-x509", ...small, "-subj", "/CN=weak"], { stdio: "pipe" });
    assert.match((await faultsOf({ cert, key }))[0] ?? "", /^TLS_CERT .*weak.pem cannot be served/);
  });
});
