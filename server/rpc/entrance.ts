import type { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import type { Metadata } from "nice-grpc-common";
import { type Holder, keyUnknown } from "./keys/keys.js";

/** Who is behind a call. Without `isCurrent` it may go on for ever. */
export type Caller = Pick<Holder, "name" | "tokensPerMinute"> & Partial<Pick<Holder, "isCurrent">>;
type Checked = Caller | undefined | Promise<Caller | undefined>;

/** A call's metadata, as checks see it. */
export interface Shown {
  get(name: string): string | undefined;
}

/**
 * Throws a ServiceError for a call that is not let in. `path` is its method's, as in "/sentiment.v1.SentimentService/Analyze", `peer` the address that it came
 * from. Returns who is behind it, where that is what it looks at; a promise only where it has to wait, since each await costs every call.
 */
export type Check = (metadata: Shown, path: string, peer?: string) => Checked;

/** Set here and nowhere else: what a client sends under this name is overwritten, or taken out. */
const CALL_ID = "x-sentiment-call-id";

/** Finds out who may call as soon as a call's metadata is there: what strangers send is not read, and takes no memory. */
export interface Entrance {
  /** Before any of the call's request is read; never rejects. False: `enter` throws why it is not let in. `cut` ends the call, whatever its client does. */
  look(
    path: string,
    metadata: GrpcMetadata,
    peer: () => string,
    cut?: () => void,
  ): boolean | Promise<boolean>;
  /** Who is behind the call, as `look` has found out. */
  readonly enter: (metadata: Metadata) => Caller | undefined;
  /** Ends the call, which its client would not notice otherwise. */
  readonly cut: (metadata: Metadata) => void;
  /** The call is over. */
  leave(metadata: GrpcMetadata): void;
}

type Decision = { readonly holder: Caller | undefined } | { readonly error: unknown };

/** `checks`: by the service's full name; calls of others are let in, and nothing is known of who is behind them. */
export function createEntrance(checks: ReadonlyMap<string, Check>): Entrance {
  const decisions = new Map<string, Decision>();
  const cuts = new Map<string, () => void>();
  let last = 0;
  const decide = (id: string, decision: Decision): boolean => {
    decisions.set(id, decision);
    return "holder" in decision;
  };
  return {
    look(path, metadata, peer, cut) {
      const check = checks.get(path.split("/")[1] ?? "");
      if (check === undefined) {
        // A client must not send the id of another's call, which `leave` would forget.
        metadata.remove(CALL_ID);
        return true;
      }
      const id = String(++last);
      metadata.set(CALL_ID, id);
      if (cut !== undefined) cuts.set(id, cut);
      try {
        const holder = check(shown(metadata), path, peer());
        if (!(holder instanceof Promise)) return decide(id, { holder });
        return holder.then(
          (known) => decide(id, { holder: known }),
          (error: unknown) => decide(id, { error }),
        );
      } catch (error) {
        return decide(id, { error });
      }
    },
    enter(metadata) {
      const decision = decisions.get(metadata.get(CALL_ID) ?? "");
      // Its client has left meanwhile.
      if (decision === undefined) throw keyUnknown();
      if ("error" in decision) throw decision.error;
      return decision.holder;
    },
    cut: (metadata) => cuts.get(metadata.get(CALL_ID) ?? "")?.(),
    leave(metadata) {
      for (const id of metadata.get(CALL_ID).map(String)) {
        decisions.delete(id);
        cuts.delete(id);
      }
    },
  };
}

/** As nice-grpc shows it to services: what came several times is one value. */
const shown = (metadata: GrpcMetadata): Shown => ({
  get(name) {
    const values = metadata.get(name);
    return values.length === 0 ? undefined : values.join(", ");
  },
});
