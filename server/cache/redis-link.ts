import type { Clock } from "../core/clock.js";
import { within } from "../core/within.js";
import type { ConnectRedis, RedisConnection } from "./redis-connection.js";

/** Commands in a row that failed or went unanswered. */
const MOST_FAILURES = 5;
const PROBE_MS = 1000;
const JITTER = 0.1;

/** Told once a change; `down` also when the first connection fails. */
export type Turned = (state: "up" | "down", why: string) => void;

/**
 * The connection to Redis while Redis can be trusted with a command, and none otherwise. It is given up at once when it breaks, and after
 * a few commands in a row that failed. Then one probe a second makes a new connection and asks it for a PING: one that has been frozen or
 * cut off could answer minutes after its server is back.
 */
export class RedisLink implements AsyncDisposable {
  #connection: RedisConnection | undefined;
  #state: "up" | "down" | undefined;
  #failures = 0;
  #countedMs = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #cancelProbe = () => {};
  #probing: Promise<void>;
  readonly #connect: ConnectRedis;
  readonly #limitMs: number;
  readonly #clock: Clock;
  readonly #turned: Turned;

  /** `limitMs`: what a PING may take, in milliseconds. */
  constructor(connect: ConnectRedis, limitMs: number, clock: Clock, turned: Turned) {
    this.#connect = connect;
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.#turned = turned;
    this.#probing = this.#probe();
  }

  /** undefined: do without, and at once. */
  get connection(): RedisConnection | undefined {
    return this.#connection;
  }

  /** Resolves when the attempt to connect that is under way is over, whatever came of it. */
  get attempt(): Promise<void> {
    return this.#probing;
  }

  succeeded(connection: RedisConnection): void {
    if (connection === this.#connection) this.#failures = 0;
  }

  /** A command of that connection, sent at `startedMs`, failed or went unanswered. */
  failed(connection: RedisConnection, startedMs: number, error: unknown): void {
    // Commands that were under way together fail for one reason, which counts once.
    if (connection !== this.#connection || startedMs < this.#countedMs) return;
    this.#countedMs = this.#clock.now();
    this.#failures += 1;
    if (this.#failures >= MOST_FAILURES) this.#fall(error);
  }

  /** Resolves once nothing of it is left, after a few seconds where a connection is being made. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#cancelProbe();
    this.#connection?.close();
    this.#connection = undefined;
    await this.#probing;
  }

  async #probe(): Promise<void> {
    let connection: RedisConnection | undefined;
    try {
      const made = await this.#connect((error) => {
        if (connection !== undefined && connection === this.#connection) this.#fall(error);
      });
      connection = made;
      const ping = () => within(this.#limitMs, this.#clock, made.ping());
      // Code that runs for the first time is slow, and no fault of Redis.
      await ping().catch(ping);
      if (this.#stopped) made.close();
      else this.#rise(made);
    } catch (error) {
      connection?.close();
      this.#fall(error);
    }
  }

  #rise(connection: RedisConnection): void {
    this.#connection = connection;
    this.#failures = 0;
    this.#turn("up", "it answers");
  }

  #fall(error: unknown): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
    if (this.#stopped) return;
    this.#turn("down", whyOf(error));
    this.#cancelProbe = this.#clock.after(jittered(PROBE_MS), () => {
      this.#probing = this.#probe();
    });
  }

  #turn(state: "up" | "down", why: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#turned(state, why);
  }
}

/** Never empty, unlike the message of an error that stands for several, one an address. */
export function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}

/** The time, give or take a tenth: what began together must not come due together. */
export const jittered = (ms: number) => ms * (1 + JITTER * (2 * Math.random() - 1));
