import type { Dashboard } from "./dashboard.js";
import { chart, line, perSecond, picked, quantile, shareOf, stat } from "./panel.js";

const ANALYZES = 'method=~"Analyze|AnalyzeBatch|AnalyzeStream|ModelInfer"';
const FAULTS = 'code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED|DATA_LOSS"';
const calls = (by: string, ...matchers: string[]) =>
  perSecond(by, "sentiment_requests_total", ANALYZES, ...matchers);
const took = (share: number) =>
  quantile(share, "", "sentiment_request_duration_seconds", 'method="Analyze"');
/** How many times faster than allowed the error budget is used up; of all servers, whichever are picked. */
const burn = (window: string) => `max(job:sentiment_request_faults:ratio_rate${window}) / 0.001`;

export const overview: Dashboard = {
  name: "overview",
  title: "Overview",
  description: "Whether callers get what they are promised, and what stands in the way.",
  panels: [
    stat("Calls", "reqps", "Calls that analyze, a second.", [line("calls", calls(""))]),
    stat(
      "Faults",
      "percentunit",
      "Share of those calls that failed by the server's fault; the objective is 0.1 %. What the caller did wrong and what was refused for load are not in it.",
      [line("faults", shareOf(calls("", FAULTS), calls("")))],
      [0.001, 0.0144],
    ),
    stat(
      "p95 of Analyze",
      "s",
      "95 % of the calls of one text take no longer. Promised: 100 ms.",
      [line("p95", took(0.95))],
      [0.08, 0.1],
    ),
    stat(
      "Cache hit rate",
      "percentunit",
      "Share of the texts of the last five minutes that were found in a cache, as the servers tell it.",
      [line("hit rate", `avg(${picked("sentiment_cache_hit_rate")})`)],
      [0.7, 0.5],
    ),
    stat(
      "Servers up",
      "percentunit",
      "Share of the servers that answer their scrapes.",
      [line("up", `avg(${picked("up", 'job="sentiment"')})`)],
      [1, 0.5],
    ),
    stat(
      "Alerts",
      "short",
      "Alerts of these rules that fire now; docs/operations.md has a section for each.",
      [line("firing", 'count(ALERTS{alertname=~"Sentiment.*",alertstate="firing"}) or vector(0)')],
      [1, 2],
    ),
    chart("Calls by method", "reqps", "Calls that analyze, a second.", [
      line("{{method}}", calls("method")),
    ]),
    chart(
      "Calls by code",
      "reqps",
      "All but OK: INVALID_ARGUMENT is the callers', RESOURCE_EXHAUSTED is load, the rest is the server's.",
      [line("{{code}}", calls("code", 'code!="OK"'))],
    ),
    chart(
      "Burn rate",
      "short",
      "How many times faster than 99.9 % allows errors come; 1 uses the budget up in 30 days, 14.4 in two. Of all servers.",
      ["1h", "6h", "3d"].map((window) => line(window, burn(window))),
      [6, 14.4],
    ),
    chart(
      "Analyze takes",
      "s",
      "Calls of one text.",
      [line("p50", took(0.5)), line("p95", took(0.95)), line("p99", took(0.99))],
      [0.08, 0.1],
    ),
    chart(
      "p95 by method",
      "s",
      "Of every call but streams, which last as long as their clients like.",
      [
        line(
          "{{method}}",
          quantile(0.95, "method", "sentiment_request_duration_seconds", ANALYZES),
        ),
      ],
    ),
    chart("In flight", "short", "Calls that are being answered now.", [
      line("{{instance}}", picked("sentiment_requests_in_flight")),
    ]),
    chart(
      "Texts by outcome",
      "cps",
      "Texts asked for, a second: ok, or the reason in their ErrorInfo.",
      [line("{{outcome}}", perSecond("outcome", "sentiment_texts_total"))],
    ),
    chart(
      "Backends",
      "short",
      "1: the backend can run models; 0: it is down. Of several servers the least.",
      [line("{{backend}}", `min by (backend) (${picked("sentiment_backend_up")})`)],
    ),
    chart("Versions", "short", "Servers of each version and backend.", [
      line(
        "{{version}} {{backend}}",
        `count by (version, backend) (${picked("sentiment_build_info")})`,
      ),
    ]),
  ],
};
