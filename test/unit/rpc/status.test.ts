import assert from "node:assert/strict";
import { Status as Code } from "nice-grpc-common";
import type { Call } from "../../../server/core/call.js";
import { type Reason, ServiceError } from "../../../server/core/errors.js";
import {
  BadRequest,
  QuotaFailure,
  RetryInfo,
} from "../../../server/gen/google/rpc/error_details.js";
import { Status } from "../../../server/gen/google/rpc/status.js";
import { sayable, statusOf } from "../../../server/rpc/status.js";
import { recorder } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";
import { detailsOf } from "../../support/status-details.js";

const CODES: Record<Reason, Code> = {
  TEXT_EMPTY: Code.INVALID_ARGUMENT,
  TEXT_TOO_LONG: Code.INVALID_ARGUMENT,
  TEXT_NOT_UTF8: Code.INVALID_ARGUMENT,
  TIER_UNKNOWN: Code.INVALID_ARGUMENT,
  OPTION_UNKNOWN: Code.INVALID_ARGUMENT,
  BATCH_EMPTY: Code.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: Code.INVALID_ARGUMENT,
  ID_TOO_LONG: Code.INVALID_ARGUMENT,
  KEY_MISSING: Code.UNAUTHENTICATED,
  KEY_UNKNOWN: Code.UNAUTHENTICATED,
  NOT_ALLOWED: Code.PERMISSION_DENIED,
  TENSOR_INVALID: Code.INVALID_ARGUMENT,
  MODEL_UNKNOWN: Code.NOT_FOUND,
  MODEL_UNUSABLE: Code.FAILED_PRECONDITION,
  NOT_IMPLEMENTED: Code.UNIMPLEMENTED,
  PROFILE_UNWRITABLE: Code.FAILED_PRECONDITION,
  METADATA_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
  OVERLOADED: Code.RESOURCE_EXHAUSTED,
  RATE_LIMITED: Code.RESOURCE_EXHAUSTED,
  DEADLINE: Code.DEADLINE_EXCEEDED,
  BACKEND_DOWN: Code.UNAVAILABLE,
  DRAINING: Code.UNAVAILABLE,
  PROCESS_DOWN: Code.UNAVAILABLE,
  CACHE_DOWN: Code.UNAVAILABLE,
  BUG: Code.INTERNAL,
};
const nobody = () => assert.fail("a known error was reported as a bug");
/** As the client reads it. */
const overTheWire = (status: Status): Status => Status.decode(Status.encode(status).finish());
const typesOf = ({ details }: Status) => details.map(({ typeUrl }) => typeUrl.split("/")[1]);

describe("statusOf", () => {
  for (const [reason, code] of Object.entries(CODES) as [Reason, Code][]) {
    it(`gives ${reason} the code ${Code[code]}, and names the reason`, () => {
      const status = overTheWire(statusOf(new ServiceError(reason, "Do this."), nobody, undefined));
      assert.deepEqual(detailsOf(status), {
        code,
        message: "Do this.",
        reason,
        domain: "sentiment.v1",
        fields: [],
        retryAfterSeconds: undefined,
      });
      assert.deepEqual(typesOf(status), ["google.rpc.ErrorInfo"]);
    });
  }

  it("names the field that is wrong, and says why", () => {
    const error = new ServiceError("TEXT_EMPTY", "texts[3] is empty.", { field: "texts[3]" });
    const status = overTheWire(statusOf(error, nobody, undefined));
    assert.deepEqual(typesOf(status), ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]);
    const { fieldViolations } = BadRequest.decode(status.details[1]?.value ?? new Uint8Array());
    assert.deepEqual(fieldViolations, [
      {
        field: "texts[3]",
        description: "texts[3] is empty.",
        reason: "TEXT_EMPTY",
        localizedMessage: undefined,
      },
    ]);
  });

  it("says when another try makes sense", () => {
    const error = new ServiceError("OVERLOADED", "Later.", { retryAfterMs: 1500 });
    const status = overTheWire(statusOf(error, nobody, undefined));
    assert.deepEqual(typesOf(status), ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"]);
    const { retryDelay } = RetryInfo.decode(status.details[1]?.value ?? new Uint8Array());
    assert.deepEqual(retryDelay, { seconds: 1, nanos: 500_000_000 });
  });

  it("says which quota is used up, and whose", () => {
    const quota = { subject: "key:team-a", tokensPerMinute: 1000 };
    const error = new ServiceError("RATE_LIMITED", "Later.", { retryAfterMs: 250, quota });
    const status = overTheWire(statusOf(error, nobody, undefined));
    assert.deepEqual(typesOf(status), [
      ...["google.rpc.ErrorInfo", "google.rpc.RetryInfo", "google.rpc.QuotaFailure"],
    ]);
    const { violations } = QuotaFailure.decode(status.details[2]?.value ?? new Uint8Array());
    assert.deepEqual(violations, [
      {
        subject: "key:team-a",
        description: "Later.",
        apiService: "sentiment.v1.SentimentService",
        quotaMetric: "sentiment.v1/tokens",
        quotaId: "tokens-per-minute",
        quotaDimensions: {},
        quotaValue: 1000,
        futureQuotaValue: undefined,
      },
    ]);
  });

  it("keeps the cause of a known error to itself", () => {
    const cause = new Error("secret");
    const status = statusOf(
      new ServiceError("BACKEND_DOWN", "Down.", { cause }),
      nobody,
      undefined,
    );
    assert.ok(!Buffer.from(Status.encode(status).finish()).includes("secret"));
  });

  const unknown: readonly (readonly [what: string, error: unknown])[] = [
    ["an error", new Error("secret")],
    ["a programming error", new TypeError("secret is not a function")],
    ["an error with a code of its own", Object.assign(new Error("secret"), { code: 3 })],
    ["a string", "secret"],
    ["nothing", undefined],
  ];
  for (const [what, error] of unknown) {
    it(`makes ${what} that nobody foresaw a BUG, with an id that was reported, and no more`, () => {
      const [reportBug, reports] = recorder(
        (_id: string, _error: unknown, _call: Call | undefined) => {},
      );
      const call = someCall();
      const status = overTheWire(statusOf(error, reportBug, call));
      assert.equal(reports.length, 1);
      const [id, reported, by] = reports[0] ?? [];
      assert.equal(reported, error);
      assert.equal(by, call);
      assert.match(id ?? "", /^[0-9a-f-]{36}$/);
      assert.deepEqual(detailsOf(status), {
        code: Code.INTERNAL,
        message: `The server failed on this. Its log has the cause under the id ${id}.`,
        reason: "BUG",
        domain: "sentiment.v1",
        fields: [],
        retryAfterSeconds: undefined,
      });
      assert.ok(!Buffer.from(Status.encode(status).finish()).includes("secret"));
    });
  }

  it("says no more than fits into a header, and nothing that breaks gRPC's writer", () => {
    assert.equal(sayable("short"), "short");
    assert.equal(sayable("cut \ud83d"), "cut \ufffd");
    const error = new ServiceError("TEXT_EMPTY", `${"x".repeat(999)}😀`, { field: "text" });
    const status = overTheWire(statusOf(error, nobody, undefined));
    assert.equal(status.message, `${"x".repeat(999)}\ufffd...`);
    assert.doesNotThrow(() => encodeURI(status.message));
    const { fieldViolations } = BadRequest.decode(status.details[1]?.value ?? new Uint8Array());
    assert.equal(fieldViolations[0]?.description, status.message);
  });

  it("gives each BUG an id of its own", () => {
    const [reportBug, reports] = recorder((_id: string, _error: unknown) => {});
    const error = new Error("twice");
    statusOf(error, reportBug, undefined);
    statusOf(error, reportBug, undefined);
    assert.notEqual(reports[0]?.[0], reports[1]?.[0]);
  });
});
