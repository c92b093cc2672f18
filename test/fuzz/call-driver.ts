import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import { LIMIT_MS } from "./limit.js";
import type { CallPlan, Outcome } from "./plan.js";

/** What gRPC itself says of what it cannot read, by the server's fault or not. */
const BY_GRPC = /^(Error deserializing request|Failed to decompress message|Invalid grpc-timeout)/;
const BUG = "BUG";

/** How a call ended, as the client saw it. */
interface Ended {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly rstCode: number;
  /** By the client: before an answer came. */
  readonly hasLeft: boolean;
}

/** Makes the call, and judges its end; `mayBeLost`: with the connection, which others break. Its session must take calls. */
export async function driveCall(
  session: ClientHttp2Session,
  plan: CallPlan,
  mayBeLost = false,
): Promise<Outcome> {
  const ended = await endOf(session, plan);
  if (ended === undefined) return { said: "HANG", fault: `no end within ${LIMIT_MS} ms` };
  const status = ended.trailers["grpc-status"] ?? ended.headers["grpc-status"];
  if (status !== undefined) return judged(Number(status), ended);
  if (ended.hasLeft) return { said: "left" };
  const said = withoutStatus(ended);
  const isLost =
    mayBeLost && (session.closed || ended.rstCode === constants.NGHTTP2_REFUSED_STREAM);
  return { said, fault: plan.isBroken || isLost ? undefined : `no status: ${said}` };
}

function withoutStatus({ headers, rstCode }: Ended): string {
  const http = headers[":status"];
  if (http !== undefined && Number(http) !== 200) return `HTTP ${http}`;
  return rstCode === constants.NGHTTP2_NO_ERROR ? "no status" : `RST_STREAM ${rstCode}`;
}

function judged(code: number, { headers, trailers }: Ended): Outcome {
  const said = Code[code] ?? `status ${code}`;
  const encoded = String(trailers["grpc-message"] ?? headers["grpc-message"] ?? "");
  const message = encoded.replaceAll("%20", " ");
  const details = trailers["grpc-status-details-bin"] ?? headers["grpc-status-details-bin"] ?? "";
  const isBug = Buffer.from(String(details), "base64").includes(BUG);
  const isOurs = code === Code.INTERNAL && !BY_GRPC.test(message);
  if (isBug || isOurs || code === Code.UNKNOWN || Code[code] === undefined)
    return { said, fault: `${said}: ${message}` };
  return { said };
}

/** undefined: it has none. */
function endOf(session: ClientHttp2Session, plan: CallPlan): Promise<Ended | undefined> {
  return new Promise((resolve) => {
    const stream = session.request(plan.headers, { endStream: false });
    const answer = listenTo(stream);
    let hasLeft = false;
    const leave = () => {
      hasLeft = true;
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const leaving =
      plan.leavesAfterMs === undefined ? undefined : setTimeout(leave, plan.leavesAfterMs);
    const done = (ended: Ended | undefined) => {
      clearTimeout(leaving);
      clearTimeout(limit);
      // One that has ended on both sides closes by itself: a reset counts as one more that the client has taken back.
      if (plan.isHalfOpen || ended === undefined) stream.close(constants.NGHTTP2_CANCEL);
      resolve(ended);
    };
    const limit = setTimeout(done, LIMIT_MS, undefined);
    answer.onEnd(() => done({ ...answer, rstCode: stream.rstCode ?? 0, hasLeft }));
    for (const chunk of plan.chunks) stream.write(chunk);
    if (!plan.isHalfOpen) stream.end();
    if (plan.leavesAfterMs === 0) leave();
  });
}

/** An end is the status, wherever it stands, or that the stream is closed. */
function listenTo(stream: ClientHttp2Stream) {
  const answer = {
    headers: {} as IncomingHttpHeaders,
    trailers: {} as IncomingHttpHeaders,
    onEnd: (end: () => void) => {
      stream.on("response", (headers) => {
        answer.headers = headers;
        if (headers["grpc-status"] !== undefined) end();
      });
      stream.on("trailers", (trailers) => {
        answer.trailers = trailers;
        end();
      });
      stream.once("close", end);
    },
  };
  // What went wrong is told by the close.
  stream.on("error", () => {});
  stream.resume();
  return answer;
}
