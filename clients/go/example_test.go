package sentiment_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	sentiment "sentiment-analyzer-pro/clients/go"
)

func Example() {
	client, err := sentiment.NewClient("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Analyze(context.Background(), "I love this product!", sentiment.WithTier(sentiment.TierFast))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Sentiment.Label, answer.Sentiment.Score)
}

func ExampleClient_AnalyzeAll() {
	client, err := sentiment.NewClient("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	texts := []string{"I love it", "Terrible quality", ""}
	for result, err := range client.AnalyzeAll(context.Background(), slices.Values(texts)) {
		if err != nil {
			log.Fatal(err)
		}
		if result.Err != nil {
			fmt.Println(result.Index, sentiment.ReasonOf(result.Err))
			continue
		}
		fmt.Println(result.Index, result.Sentiment.Label)
	}
}

func ExampleError() {
	client, err := sentiment.NewClient("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = client.Analyze(context.Background(), "")
	var refused *sentiment.Error
	if errors.As(err, &refused) && refused.Reason == sentiment.ReasonRateLimited {
		fmt.Println("try again in", refused.RetryAfter)
	}
}
