/**
 * Texts for load tools, a line each: words that are one token each, of lengths as in the other benchmarks (20 tokens on average), so many that few are asked twice.
 *
 *   node dist/benchmarks/load-texts.js >texts
 */
import { lognormalTexts } from "./texts.js";

const COUNT = 30_000;
const texts = await lognormalTexts(COUNT, "triton-model-repo/sentiment_balanced/tokenizer.json");
process.stdout.write(`${texts.join("\n")}\n`);
