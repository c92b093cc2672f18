const OPINIONS = [
  ["I love", "I enjoyed", "I can recommend", "Everybody should see", "What a treat:"],
  ["I hate", "I regret", "Nobody needs", "I want my money back for", "What a waste:"],
  ["On Monday we saw", "They described", "The list names", "Here is", "She mentioned"],
] as const;
const THINGS = [
  "this film",
  "the new phone",
  "the soup at the corner",
  "a book about bees that has more pages than I had expected when I bought it",
  "their train",
  "the second season",
  "his first song",
] as const;

/** That many different sentences of all three kinds and of many lengths. */
export function sentences(count: number): string[] {
  return Array.from({ length: count }, (_, number) => {
    const kind = OPINIONS[number % OPINIONS.length] ?? OPINIONS[0];
    const opinion = kind[Math.floor(number / 3) % kind.length];
    const thing = THINGS[Math.floor(number / 15) % THINGS.length];
    return `${opinion} ${thing}, number ${number}.`;
  });
}
