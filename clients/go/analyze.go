package sentiment

import (
	"context"
	"fmt"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// Result is what became of one text of several: Sentiment or Err is set.
type Result struct {
	// Index is the place of the text among all, from 0.
	Index     int
	Text      string
	Sentiment *Sentiment
	// Err is an [*Error] that concerns this text alone.
	Err error
}

// Analyze asks about one text. Sentiment and Timing of the answer are always set.
func (c *Client) Analyze(ctx context.Context, text string, options ...CallOption) (*AnalyzeResponse, error) {
	settings, err := newSettings(options)
	if err != nil {
		return nil, err
	}
	if !utf8.ValidString(text) {
		return nil, notUTF8("text")
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	answer, err := c.service.Analyze(ctx, &pb.AnalyzeRequest{Text: text, Tier: settings.tier, Options: settings.options})
	if err != nil {
		return nil, toError(err)
	}
	return answer, nil
}

// AnalyzeBatch asks about up to 100 texts in one call. There is one result a text, in their order; a text that cannot be analyzed has its
// own error there. The error of the call is for what concerns all of them.
func (c *Client) AnalyzeBatch(ctx context.Context, texts []string, options ...CallOption) ([]Result, error) {
	settings, err := newSettings(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	results := make([]Result, len(texts))
	for i, text := range texts {
		results[i] = Result{Index: i, Text: text}
	}
	asked := sendable(results)
	if len(asked) == 0 && len(texts) > 0 {
		return results, nil
	}
	if err := c.askBatch(ctx, asked, settings); err != nil {
		return nil, toError(err)
	}
	return results, nil
}

// Models are those that are served, fast first.
func (c *Client) Models(ctx context.Context) ([]*Model, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	answer, err := c.service.ListModels(ctx, &pb.ListModelsRequest{})
	if err != nil {
		return nil, toError(err)
	}
	return answer.GetModels(), nil
}

// sendable are the results whose texts can be sent; the others have their error.
func sendable(results []Result) []*Result {
	asked := make([]*Result, 0, len(results))
	for i := range results {
		if result := &results[i]; utf8.ValidString(result.Text) {
			asked = append(asked, result)
		} else {
			result.Err = notUTF8(fmt.Sprintf("texts[%d]", i))
		}
	}
	return asked
}

// askBatch makes one call, and writes what comes of it into the results.
func (c *Client) askBatch(ctx context.Context, asked []*Result, settings *settings) error {
	request := &pb.AnalyzeBatchRequest{Tier: settings.tier, Options: settings.options}
	for _, result := range asked {
		request.Texts = append(request.Texts, result.Text)
	}
	answer, err := c.service.AnalyzeBatch(ctx, request)
	if err != nil {
		return err
	}
	outcomes := answer.GetResults()
	if len(outcomes) != len(asked) {
		return &Error{Code: codes.DataLoss, Message: fmt.Sprintf("The server answered %d of %d texts.", len(outcomes), len(asked))}
	}
	for i, outcome := range outcomes {
		asked[i].set(outcome.GetSentiment(), outcome.GetError())
	}
	return nil
}

func (r *Result) set(sentiment *Sentiment, refusal *status.Status) {
	switch {
	case refusal != nil:
		r.Sentiment, r.Err = nil, fromStatus(grpcstatus.FromProto(refusal))
	case sentiment != nil:
		r.Sentiment, r.Err = sentiment, nil
	default:
		r.Sentiment, r.Err = nil, &Error{Code: codes.DataLoss, Message: "The server sent neither an answer nor an error."}
	}
}

// refusal is the text's own error where asking again may help; nil else.
func (r *Result) refusal() *Error {
	if own, ok := r.Err.(*Error); ok && own.temporary() {
		return own
	}
	return nil
}
