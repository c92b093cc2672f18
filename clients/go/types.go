package sentiment

import pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"

// Messages of sentiment.v1; proto/sentiment/v1/sentiment.proto has unit and bound of every field.
type (
	AnalyzeResponse   = pb.AnalyzeResponse
	Sentiment         = pb.Sentiment
	Probabilities     = pb.Probabilities
	SentenceSentiment = pb.SentenceSentiment
	TokenAttribution  = pb.TokenAttribution
	Timing            = pb.Timing
	Model             = pb.Model
)

// Label is the verdict on a text.
type Label = pb.Label

// The labels that a server sends.
const (
	LabelNegative = pb.Label_LABEL_NEGATIVE
	LabelNeutral  = pb.Label_LABEL_NEUTRAL
	LabelPositive = pb.Label_LABEL_POSITIVE
)

// Tier is which model answers: a choice between speed and accuracy.
type Tier = pb.Tier

// The tiers; TierDefault is what the server's DEFAULT_TIER says, TierAuto the cascade of fast and accurate.
const (
	TierDefault  = pb.Tier_TIER_UNSPECIFIED
	TierFast     = pb.Tier_TIER_FAST
	TierBalanced = pb.Tier_TIER_BALANCED
	TierAccurate = pb.Tier_TIER_ACCURATE
	TierAuto     = pb.Tier_TIER_AUTO
)

// LongText is what to do with a text that has more tokens than the model reads at once.
type LongText = pb.LongText

// The ways to treat a long text.
const (
	LongTextWindows  = pb.LongText_LONG_TEXT_WINDOWS
	LongTextTruncate = pb.LongText_LONG_TEXT_TRUNCATE
	LongTextReject   = pb.LongText_LONG_TEXT_REJECT
)

// CacheTier is where an answer came from.
type CacheTier = pb.CacheTier

// Where answers come from.
const (
	CacheNone   = pb.CacheTier_CACHE_TIER_NONE
	CacheMemory = pb.CacheTier_CACHE_TIER_MEMORY
	CacheRedis  = pb.CacheTier_CACHE_TIER_REDIS
)
