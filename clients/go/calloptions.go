package sentiment

import (
	"errors"
	"fmt"
	"time"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// CallOption says how texts are analyzed, or, of the helpers [Client.AnalyzeAll] and [Client.AnalyzeStream], how the server is asked.
type CallOption func(*settings)

type settings struct {
	tier        Tier
	options     *pb.AnalyzeOptions
	batchSize   int
	concurrency int
	maxUnderWay int
	giveUpAfter time.Duration
	unordered   bool
	faults      []error
}

func newSettings(options []CallOption) (*settings, error) {
	settings := &settings{options: &pb.AnalyzeOptions{}, batchSize: 32, concurrency: 4, maxUnderWay: 256, giveUpAfter: time.Minute}
	for _, option := range options {
		option(settings)
	}
	if err := errors.Join(settings.faults...); err != nil {
		return nil, fmt.Errorf("sentiment: %w", err)
	}
	return settings, nil
}

// WithTier says which model answers. Default: the server's default tier.
func WithTier(tier Tier) CallOption { return func(s *settings) { s.tier = tier } }

// WithSentences asks for each sentence's verdict too.
func WithSentences() CallOption { return func(s *settings) { s.options.Sentences = true } }

// WithExplanation asks what each word adds to the score. It costs up to 64 times the work.
func WithExplanation() CallOption { return func(s *settings) { s.options.Explain = true } }

// WithoutCache neither looks into the server's caches nor writes to them.
func WithoutCache() CallOption { return func(s *settings) { s.options.SkipCache = true } }

// WithLongText says what to do with a text that the model cannot read at once. Default: it is read in windows.
func WithLongText(longText LongText) CallOption {
	return func(s *settings) { s.options.LongText = longText }
}

// WithBatchSize sets how many texts a call of AnalyzeAll has at most. Default: 32; servers take up to 100 (their MAX_BATCH_SIZE).
func WithBatchSize(texts int) CallOption {
	return func(s *settings) { s.batchSize = s.atLeastOne("WithBatchSize", texts) }
}

// WithConcurrency sets how many calls AnalyzeAll has under way at most. Default: 4.
func WithConcurrency(calls int) CallOption {
	return func(s *settings) { s.concurrency = s.atLeastOne("WithConcurrency", calls) }
}

// WithMaxUnderWay sets how many texts AnalyzeStream has sent and not yielded at most. Default: 256.
func WithMaxUnderWay(texts int) CallOption {
	return func(s *settings) { s.maxUnderWay = s.atLeastOne("WithMaxUnderWay", texts) }
}

// WithGiveUpAfter sets how long the helpers go on while texts are under way and the server answers none. Default: 60 s.
func WithGiveUpAfter(limit time.Duration) CallOption {
	return func(s *settings) {
		if limit <= 0 {
			s.faults = append(s.faults, fmt.Errorf("WithGiveUpAfter(%v): must be over 0", limit))
		}
		s.giveUpAfter = limit
	}
}

// Unordered has the helpers yield results as they come, not in the order of the texts.
func Unordered() CallOption { return func(s *settings) { s.unordered = true } }

func (s *settings) atLeastOne(option string, number int) int {
	if number < 1 {
		s.faults = append(s.faults, fmt.Errorf("%s(%d): must be at least 1", option, number))
	}
	return number
}
