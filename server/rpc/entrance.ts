import type { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import type { Holder } from "./keys/keys.js";

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

/** Who is behind a call, or why it is not let in. */
export type Decision =
  | { readonly isLetIn: true; readonly holder: Caller | undefined }
  | { readonly isLetIn: false; readonly error: unknown };

/** Finds out who may call as soon as a call's metadata is there: what strangers send is not read, and takes no memory. Never throws or rejects. */
export type Entrance = (
  path: string,
  metadata: GrpcMetadata,
  peer: () => string,
) => Decision | Promise<Decision>;

const OPEN: Decision = { isLetIn: true, holder: undefined };
const letIn = (holder: Caller | undefined): Decision => ({ isLetIn: true, holder });
export const refused = (error: unknown): Decision => ({ isLetIn: false, error });

/** `checks`: by the service's full name; calls of others are let in, and nothing is known of who is behind them. */
export function createEntrance(checks: ReadonlyMap<string, Check>): Entrance {
  return (path, metadata, peer) => {
    const check = checks.get(path.slice(1, path.indexOf("/", 1)));
    if (check === undefined) return OPEN;
    try {
      const holder = check(shown(metadata), path, peer());
      return holder instanceof Promise ? holder.then(letIn, refused) : letIn(holder);
    } catch (error) {
      return refused(error);
    }
  };
}

/** As nice-grpc shows it to services: what came several times is one value. */
export const shown = (metadata: GrpcMetadata): Shown => ({
  get(name) {
    const values = metadata.get(name);
    return values.length === 0 ? undefined : values.join(", ");
  },
});
