import assert from "node:assert/strict";
import { createChannel, createClient, Metadata, Status } from "nice-grpc";
import { SentimentServiceDefinition } from "../../server/gen/sentiment/v1/sentiment.js";

/** How long each kind of refusal takes: in turns, one call after the other on one connection, to the server and with the keys that key-refusals.sh made. */
const WARM_UP = 500;
const ROUNDS = 3000;
const { UNAUTHENTICATED, PERMISSION_DENIED } = Status;
/** Each with the variable that has its key, and the code that it must get. */
const KINDS = {
  "no key": [undefined, UNAUTHENTICATED],
  "a key that nobody made": ["UNKNOWN", UNAUTHENTICATED],
  "another secret of a key": ["WRONG", UNAUTHENTICATED],
  "a revoked key": ["REVOKED", UNAUTHENTICATED],
  "an expired key": ["EXPIRED", UNAUTHENTICATED],
  "a key without the right": ["OPERATOR", PERMISSION_DENIED],
} as const;

const channel = createChannel(settingOf("ADDRESS"));
const client = createClient(SentimentServiceDefinition, channel);

function settingOf(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run test/full/key-refusals.sh`);
  return value;
}

/** Microseconds until the call is refused. */
async function refusedIn(metadata: Metadata, code: Status): Promise<number> {
  const startedMs = performance.now();
  await assert.rejects(client.listModels({}, { metadata }), { code });
  return (performance.now() - startedMs) * 1000;
}

const kinds = Object.entries(KINDS).map(([kind, [variable, code]]) => {
  const metadata = Metadata();
  if (variable !== undefined) metadata.set("x-api-key", settingOf(variable));
  return { kind, metadata, code, times: [] as number[] };
});
for (let round = 0; round < WARM_UP + ROUNDS; round++) {
  for (const { metadata, code, times } of kinds) {
    const us = await refusedIn(metadata, code);
    if (round >= WARM_UP) times.push(us);
  }
}
channel.close();
const quartiles: {
  readonly kind: string;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}[] = [];
process.stdout.write(`\nTime to a refusal, ${ROUNDS} calls of each kind in turns:\n`);
for (const { kind, times } of kinds) {
  times.sort((one, other) => one - other);
  const at = (part: number) => Math.round(times[Math.floor(part * times.length)] ?? Number.NaN);
  const [low, median, high] = [at(0.25), at(0.5), at(0.75)];
  quartiles.push({ kind, low, median, high });
  process.stdout.write(
    `${kind.padEnd(26)} median ${median} us (a quarter under ${low}, a quarter over ${high})\n`,
  );
}
// A kind that could be told from another by its time would be seen in half of its calls.
for (const { kind, median } of quartiles)
  for (const other of quartiles)
    assert.ok(
      median > other.low && median < other.high,
      `${kind}: the median of ${median} us is outside of what half of the calls with ${other.kind} took, ${other.low} to ${other.high} us`,
    );
