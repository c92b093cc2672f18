import type { Dashboard } from "./dashboard.js";
import { chart, line, mean, perSecond, picked, quantile, shareOf } from "./panel.js";

const labels = (by: string) => perSecond(by, "sentiment_label_total");
const texts = perSecond("model", "sentiment_text_tokens_count");
const tokens = perSecond("model", "sentiment_tokens_total");

export const models: Dashboard = {
  name: "models",
  title: "Models",
  description:
    "What the models answer, how fast, and whether texts or answers are other than they were.",
  panels: [
    chart("Inference p95", "s", "Of a batch, by model.", [
      line("{{model}}", quantile(0.95, "model", "sentiment_model_inference_seconds")),
    ]),
    chart("Answers", "cps", "Answers given a second, from a cache or not.", [
      line("{{model}}", labels("model")),
    ]),
    chart(
      "Loaded",
      "short",
      "1: in memory; 0: it loads at its next call. Of several servers the least.",
      [
        line(
          "{{model}} {{version}}",
          `min by (model, version) (${picked("sentiment_model_loaded")})`,
        ),
      ],
    ),
    chart("Labels", "percentunit", "Share of each label among a model's answers.", [
      line(
        "{{model}} {{label}}",
        `${labels("model, label")} / on (model) group_left ${labels("model")}`,
      ),
    ]),
    chart(
      "Label shift",
      "percentunit",
      "Share of the answers of six hours that would have to be others for the mix of the same hours a week before. Of all servers.",
      [
        line(
          "{{model}}",
          "sum by (model) (abs(job_model_label:sentiment_label:ratio_rate6h - job_model_label:sentiment_label:ratio_rate6h offset 1w)) / 2",
        ),
      ],
      [0.05, 0.1],
    ),
    chart("Confidence", "percentunit", "Mean, and what a tenth of the answers lies below.", [
      line("{{model}} mean", mean("model", "sentiment_confidence")),
      line("{{model}} p10", quantile(0.1, "model", "sentiment_confidence")),
    ]),
    chart(
      "Cascade",
      "percentunit",
      "Of the texts of TIER_AUTO: fast was sure, or they went on to accurate.",
      [
        line(
          "{{outcome}}",
          `${perSecond("outcome", "sentiment_cascade_total")} / on () group_left ${perSecond("", "sentiment_cascade_total")}`,
        ),
      ],
    ),
    chart("Text length", "short", "Tokens of the texts that were tokenized, by model.", [
      line("{{model}} p50", quantile(0.5, "model", "sentiment_text_tokens")),
      line("{{model}} p95", quantile(0.95, "model", "sentiment_text_tokens")),
    ]),
    chart(
      "Unknown tokens",
      "percentunit",
      "Share of the tokens that the model does not know: other languages, emoji, broken encodings.",
      [line("{{model}}", shareOf(perSecond("model", "sentiment_unknown_tokens_total"), tokens))],
      [0.01, 0.02],
    ),
    chart(
      "Truncated texts",
      "percentunit",
      "Share of the tokenized texts of which not all was read.",
      [line("{{model}}", shareOf(perSecond("model", "sentiment_truncated_total"), texts))],
      [0.02, 0.05],
    ),
    chart("Loads and unloads", "short", "In an hour; unloads by their cause.", [
      line(
        "{{model}} loaded",
        `sum by (model) (increase(${picked("sentiment_model_loads_total")}[1h]))`,
      ),
      line(
        "{{model}} {{cause}}",
        `sum by (model, cause) (increase(${picked("sentiment_model_unloads_total")}[1h]))`,
      ),
    ]),
    chart("Canary", "reqps", "Calls to a model that has a canary, by the version that answered.", [
      line("{{model}} {{version}}", perSecond("model, version", "sentiment_canary_total")),
    ]),
    chart(
      "Shadow",
      "cps",
      "Texts that the candidate was asked as well: it agreed, flipped the label, failed, or was too busy.",
      [line("{{model}} {{outcome}}", perSecond("model, outcome", "sentiment_shadow_total"))],
    ),
    chart("Shadow's distance", "short", "p95 of the distance between the two scores, 0 to 2.", [
      line("{{model}}", quantile(0.95, "model", "sentiment_shadow_score_distance")),
    ]),
    chart(
      "Rows of a run of Triton's",
      "short",
      "Of each Triton model: rows that it merged into one run.",
      [
        line(
          "{{model}}",
          "sum by (model) (rate(nv_inference_count[$__rate_interval])) / sum by (model) (rate(nv_inference_exec_count[$__rate_interval]))",
        ),
      ],
    ),
  ],
};
