package sentiment_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	sentiment "sentiment-analyzer-pro/clients/go"
)

func TestOneText(t *testing.T) {
	client := connect(t, shared(t))
	answer, err := client.Analyze(t.Context(), "I love this product!")
	if err != nil {
		t.Fatal(err)
	}
	said, timing := answer.GetSentiment(), answer.GetTiming()
	if said.GetLabel() != sentiment.LabelPositive || said.GetScore() <= 0.5 || said.GetConfidence() <= 0.5 || said.GetTier() != sentiment.TierFast {
		t.Error(said)
	}
	if timing.GetTotal().AsDuration() <= 0 || timing.GetBatchSize() != 1 {
		t.Error(timing)
	}
}

func TestWhatACallCanAskFor(t *testing.T) {
	client := connect(t, shared(t))
	ask := func(text string, options ...sentiment.CallOption) *sentiment.Sentiment {
		t.Helper()
		answer, err := client.Analyze(t.Context(), text, options...)
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetSentiment()
	}
	mixed := ask("I love this product. The support is a horrible disappointment.", sentiment.WithSentences())
	if len(mixed.GetSentences()) != 2 || !mixed.GetMixed() || mixed.GetSentences()[1].GetLabel() != sentiment.LabelNegative {
		t.Error("sentences:", mixed)
	}
	explained := ask("A great phone", sentiment.WithExplanation())
	if words := explained.GetAttributions(); len(words) != 3 || words[1].GetToken() != "great" || words[1].GetWeight() <= 0 {
		t.Error("explanation:", words)
	}
	if said := ask("A great phone", sentiment.WithExplanation()); said.GetCache() != sentiment.CacheMemory {
		t.Error("asked again:", said.GetCache())
	}
	if said := ask("A great phone", sentiment.WithExplanation(), sentiment.WithoutCache()); said.GetCache() != sentiment.CacheNone {
		t.Error("without the cache:", said.GetCache())
	}
	if said := ask("A great phone", sentiment.WithTier(sentiment.TierAccurate)); said.GetTier() != sentiment.TierAccurate {
		t.Error("tier:", said.GetTier())
	}
	long := strings.Repeat("It is good. ", 300)
	if said := ask(long, sentiment.WithLongText(sentiment.LongTextTruncate)); said.GetAnalyzedTokenCount() >= said.GetTokenCount() {
		t.Error("truncated:", said.GetAnalyzedTokenCount(), said.GetTokenCount())
	}
	if said := ask(long); said.GetAnalyzedTokenCount() != said.GetTokenCount() {
		t.Error("in windows:", said.GetAnalyzedTokenCount(), said.GetTokenCount())
	}
}

func TestABatchWithBadTexts(t *testing.T) {
	client := connect(t, shared(t))
	results, err := client.AnalyzeBatch(t.Context(), []string{"Terrible quality", "", "caf\xe9", "I love it"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []sentiment.Label{sentiment.LabelNegative, 0, 0, sentiment.LabelPositive} {
		result := results[i]
		if result.Index != i || result.Sentiment.GetLabel() != want || (want == 0) != (result.Err != nil) {
			t.Error(i, result)
		}
	}
	if own := failure(t, results[1].Err); own.Reason != sentiment.ReasonTextEmpty || len(own.Violations) != 1 || own.Violations[0].Field != "texts[1]" {
		t.Error(own, own.Violations)
	}
	if own := failure(t, results[2].Err); own.Reason != sentiment.ReasonTextNotUTF8 || own.Violations[0].Field != "texts[2]" {
		t.Error(own, own.Violations)
	}
	if results, err := client.AnalyzeBatch(t.Context(), []string{"\xff"}); err != nil || len(results) != 1 || results[0].Err == nil {
		t.Error("only a bad one:", results, err)
	}
}

func TestModels(t *testing.T) {
	client := connect(t, shared(t))
	models, err := client.Models(t.Context())
	if err != nil || len(models) != 3 {
		t.Fatal(models, err)
	}
	if fast := models[0]; fast.GetTier() != sentiment.TierFast || !fast.GetDefaultTier() || fast.GetName() != "sentiment_fast" || fast.GetMaxTokens() == 0 {
		t.Error(fast)
	}
}

func TestAnEmptyAddressIsThatOfTheEnvironment(t *testing.T) {
	t.Setenv("SENTIMENT_ADDRESS", shared(t))
	if _, err := connect(t, "").Models(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheChannelServesOtherServices(t *testing.T) {
	client := connect(t, shared(t))
	said, err := healthpb.NewHealthClient(client.Connection()).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || said.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Error(said, err)
	}
}

func TestAClosedClient(t *testing.T) {
	client := connect(t, shared(t))
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := client.Close(); err != nil {
		t.Error("again:", err)
	}
	if _, err := client.Analyze(t.Context(), "It works."); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		for _, err := range of(client)(t.Context(), numbered(10)) {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}

func TestOptionsOfAClientThatMakeNoSense(t *testing.T) {
	const secret = "sap_se cret"
	for name, option := range map[string]sentiment.Option{
		"WithAPIKey":            sentiment.WithAPIKey(secret),
		"WithTimeout":           sentiment.WithTimeout(0),
		"WithCA":                sentiment.WithCA("testdata/missing.pem"),
		"WithCA: ":              sentiment.WithCA("client.go"),
		"WithClientCertificate": sentiment.WithClientCertificate("missing.pem", "missing.key"),
	} {
		client, err := sentiment.NewClient("127.0.0.1:1", option)
		if client != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "cret")) {
			t.Errorf("%s: the key is in the error: %v", name, err)
		}
	}
	for _, key := range []string{"sap_a\n", "sap_ä", "sap_\x7f", " sap_a"} {
		if _, err := sentiment.NewClient("", sentiment.WithAPIKey(key)); err == nil {
			t.Errorf("the key %q was taken", key)
		}
	}
}
