import { Client, status as Code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { LIMIT_MS } from "./limit.js";
import type { ClientPlan, Keys, Outcome } from "./plan.js";

const asItIs = (bytes: Buffer): Buffer => bytes;
/** One of the client's own: equal ones would share one. */
const OWN = { "grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": -1 };
/** Its own deadline comes after the server must have said something. */
const LAST_MS = LIMIT_MS + 5_000;
/** Calls that a client makes before the next one takes its place: see `Sessions`. */
const MOST_CALLS = 400;

/** Programs that call by grpc-js: in time, too late, and those that do not wait. */
export class Clients implements Disposable {
  readonly #address: string;
  readonly #metadata = new Metadata();
  readonly #patient: Client;
  #hasty: { readonly client: Client; calls: number };
  readonly #old: Client[] = [];

  constructor(address: string, { analyze }: Keys) {
    this.#address = address;
    this.#metadata.set("authorization", `Bearer ${analyze}`);
    this.#patient = this.#open();
    this.#hasty = { client: this.#open(), calls: 0 };
  }

  /** Who leaves may be told anything, and so may those whose connection broke with his. */
  async drive(plan: ClientPlan): Promise<Outcome> {
    const isHasty = plan.deadlineMs !== undefined || plan.leavesAfterMs !== undefined;
    const startedMs = performance.now();
    const error = await this.#call(isHasty ? this.#next() : this.#patient, plan);
    const isHanging = !isHasty && performance.now() - startedMs >= LIMIT_MS;
    if (isHanging) return { said: "HANG", fault: `no end within ${LIMIT_MS / 1000} s` };
    if (error === undefined) return { said: "OK" };
    return outcomeOf(error, isHasty);
  }

  [Symbol.dispose](): void {
    for (const client of [this.#patient, this.#hasty.client, ...this.#old]) client.close();
  }

  #open(): Client {
    return new Client(this.#address, credentials.createInsecure(), OWN);
  }

  #next(): Client {
    if (this.#hasty.calls >= MOST_CALLS) {
      this.#old.push(this.#hasty.client);
      this.#hasty = { client: this.#open(), calls: 0 };
      // Those whose last calls are long over.
      while (this.#old.length > 4) this.#old.shift()?.close();
    }
    this.#hasty.calls++;
    return this.#hasty.client;
  }

  #call(
    client: Client,
    { path, message, deadlineMs = LAST_MS, leavesAfterMs }: ClientPlan,
  ): Promise<ServiceError | undefined> {
    return new Promise((resolve) => {
      const bytes = Buffer.from(message);
      const options = { deadline: Date.now() + deadlineMs };
      const call = client.makeUnaryRequest(
        path,
        asItIs,
        asItIs,
        bytes,
        this.#metadata,
        options,
        (error) => {
          clearTimeout(leaving);
          resolve(error ?? undefined);
        },
      );
      const leaving =
        leavesAfterMs === undefined ? undefined : setTimeout(() => call.cancel(), leavesAfterMs);
    });
  }
}

function outcomeOf({ code, details }: ServiceError, isHasty: boolean): Outcome {
  const said = Code[code] ?? `status ${code}`;
  const isBug = code === Code.UNKNOWN || details.includes("Its log has the cause");
  const isLost = code === Code.UNAVAILABLE || code === Code.INTERNAL;
  return { said, fault: isBug || (isLost && !isHasty) ? `${said}: ${details}` : undefined };
}
