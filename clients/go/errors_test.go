package sentiment_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	sentiment "sentiment-analyzer-pro/clients/go"
	"sentiment-analyzer-pro/clients/go/internal/servertest"
)

func TestWhatTheServerRefuses(t *testing.T) {
	client := connect(t, shared(t))
	analyze := func(text string, options ...sentiment.CallOption) error {
		_, err := client.Analyze(t.Context(), text, options...)
		return err
	}
	batch := func(texts int) error {
		_, err := client.AnalyzeBatch(t.Context(), make([]string, texts))
		return err
	}
	large := metadata.AppendToOutgoingContext(t.Context(), "x-large", strings.Repeat("a", 17<<10))
	_, tooMuch := client.Models(large)
	for reason, err := range map[sentiment.Reason]error{
		sentiment.ReasonTextEmpty:        analyze(" \n"),
		sentiment.ReasonTextTooLong:      analyze(strings.Repeat("It is good. ", 300), sentiment.WithLongText(sentiment.LongTextReject)),
		sentiment.ReasonTextNotUTF8:      analyze("caf\xe9"),
		sentiment.ReasonTierUnknown:      analyze("It works.", sentiment.WithTier(99)),
		sentiment.ReasonOptionUnknown:    analyze("It works.", sentiment.WithLongText(99)),
		sentiment.ReasonBatchEmpty:       batch(0),
		sentiment.ReasonBatchTooLarge:    batch(101),
		sentiment.ReasonMetadataTooLarge: tooMuch,
	} {
		want := codes.InvalidArgument
		if reason == sentiment.ReasonMetadataTooLarge {
			want = codes.ResourceExhausted
		}
		own := failure(t, err)
		if own.Reason != reason || own.Code != want || status.Code(err) != want || sentiment.ReasonOf(fmt.Errorf("wrapped: %w", err)) != reason {
			t.Errorf("%s: %v, %v", reason, own, own.Code)
		}
		// That a text is too long for a model is no fault of a field.
		if want == codes.InvalidArgument && reason != sentiment.ReasonTextTooLong && (len(own.Violations) == 0 || own.Violations[0].Description == "") {
			t.Errorf("%s: no field is named: %v", reason, own.Violations)
		}
		if own.Message == "" || !strings.HasPrefix(err.Error(), "sentiment: "+string(reason)+": ") {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func TestARefusalEndsTheHelpers(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		// A batch of over 100 texts concerns all of them; a tier is a text's own fault in a stream.
		options := []sentiment.CallOption{sentiment.WithTier(99), sentiment.WithBatchSize(101)}
		count := 0
		for result, err := range of(client)(t.Context(), numbered(500), options...) {
			count++
			if sentiment.ReasonOf(errors.Join(result.Err, err)) == "" {
				t.Fatal(result, err)
			}
			if err != nil && count != 1 {
				t.Error("results of a call that was refused:", count)
			}
		}
		if count == 0 {
			t.Error("nothing was said")
		}
	})
}

// keys makes keys by the server's own command: NAME and rights; the first is the file.
func keys(t *testing.T, rights ...string) (file string, keys []string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "keys.json")
	for i, right := range rights {
		command := exec.Command("node", "dist/server/keys-cli.js", "new", "--name", fmt.Sprintf("key-%d", i), "--rights", right, "--file", file)
		command.Dir = servertest.Root()
		key, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, strings.TrimSpace(string(key)))
	}
	return file, keys
}

func TestKeys(t *testing.T) {
	file, made := keys(t, "analyze", "admin")
	server := servertest.Start(t, "API_KEYS_FILE="+file)
	if _, err := connect(t, server.Address, sentiment.WithAPIKey(made[0])).Analyze(t.Context(), "It works."); err != nil {
		t.Error("a good key:", err)
	}
	for _, bad := range []struct {
		key    string
		code   codes.Code
		reason sentiment.Reason
	}{
		{"", codes.Unauthenticated, sentiment.ReasonKeyMissing},
		{"sap_unknown", codes.Unauthenticated, sentiment.ReasonKeyUnknown},
		{made[1], codes.PermissionDenied, sentiment.ReasonNotAllowed},
	} {
		client := connect(t, server.Address, sentiment.WithAPIKey(bad.key))
		_, err := client.Analyze(t.Context(), "It works.")
		if own := failure(t, err); own.Reason != bad.reason || own.Code != bad.code {
			t.Error(bad.reason, err)
		}
		forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
			for result, err := range of(client)(t.Context(), numbered(10)) {
				if sentiment.ReasonOf(err) != bad.reason {
					t.Error(bad.reason, result, err)
				}
			}
		})
	}
}

func TestAQuotaTellsWhenToComeBack(t *testing.T) {
	client := connect(t, servertest.Start(t, "TOKENS_PER_MINUTE=60").Address)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		_, err = client.Analyze(t.Context(), fmt.Sprintf("The product number %d is fine, and so is its box", i))
	}
	own := failure(t, err)
	if own.Code != codes.ResourceExhausted || own.Reason != sentiment.ReasonRateLimited {
		t.Fatal(own)
	}
	if own.RetryAfter <= 0 || own.RetryAfter > time.Minute {
		t.Error(own.RetryAfter)
	}
}

func TestDeadlines(t *testing.T) {
	address := shared(t)
	// Explaining takes its time.
	text := strings.Repeat("The box was not quite as good as what came in it. ", 100)
	slow := []sentiment.CallOption{sentiment.WithTier(sentiment.TierAccurate), sentiment.WithExplanation(), sentiment.WithoutCache()}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, ofContext := connect(t, address).Analyze(ctx, text, slow...)
	_, ofClient := connect(t, address, sentiment.WithTimeout(50*time.Millisecond)).Analyze(t.Context(), text, slow...)
	for name, err := range map[string]error{"of the context": ofContext, "of the client": ofClient} {
		if !errors.Is(err, context.DeadlineExceeded) || failure(t, err).Code != codes.DeadlineExceeded {
			t.Error(name, err)
		}
	}
}

func TestABackendThatIsDown(t *testing.T) {
	server := servertest.Start(t, "BACKEND=triton", "TRITON_URL=127.0.0.1:1")
	client := connect(t, server.Address)
	_, err := client.Analyze(t.Context(), "It works.")
	if own := failure(t, err); own.Code != codes.Unavailable || own.Reason != sentiment.ReasonBackendDown || own.RetryAfter <= 0 {
		t.Error(own, own.RetryAfter)
	}
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		for result, err := range of(client)(t.Context(), numbered(10), sentiment.WithGiveUpAfter(time.Second)) {
			own := failure(t, err)
			if own.Reason != sentiment.ReasonBackendDown || !strings.Contains(own.Message, "nothing for 1s") {
				t.Error(result, own)
			}
		}
	})
}

func TestTheServersReasonsAreAllListed(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(servertest.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(readme), "| reason | status | when |")
	table, _, _ := strings.Cut(behind, "\n\n")
	reasons := regexp.MustCompile("`([A-Z_0-9]+)`")
	count := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			continue
		}
		for _, reason := range reasons.FindAllStringSubmatch(cells[1], -1) {
			count++
			if !strings.Contains(string(source), `"`+reason[1]+`"`) {
				t.Errorf("reasons.go lacks %s", reason[1])
			}
		}
	}
	if listed := strings.Count(string(source), " Reason = "); count < 20 || count != listed {
		t.Errorf("%d reasons in the README, %d here", count, listed)
	}
}
