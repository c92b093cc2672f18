// Command analyze writes what the server says of texts, one a line of a file or of standard input, as JSON, one object a line, in order.
//
//	go run ./examples/analyze --tier fast --mode stream reviews.txt
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strconv"
	"strings"

	sentiment "sentiment-analyzer-pro/clients/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "analyze:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, input io.Reader, output io.Writer) error {
	flags := flag.NewFlagSet("analyze", flag.ContinueOnError)
	address := flags.String("address", "", "of the server (default: SENTIMENT_ADDRESS, or 127.0.0.1:50051)")
	tier := flags.String("tier", "", "fast, balanced, accurate or auto (default: the server's)")
	mode := flags.String("mode", "batch", "batch or stream")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	tiers := map[string]sentiment.Tier{"": sentiment.TierDefault, "fast": sentiment.TierFast, "balanced": sentiment.TierBalanced,
		"accurate": sentiment.TierAccurate, "auto": sentiment.TierAuto}
	asked, known := tiers[*tier]
	if !known || *mode != "batch" && *mode != "stream" {
		return fmt.Errorf("--tier %q --mode %q: see --help", *tier, *mode)
	}
	if flags.NArg() > 0 {
		file, err := os.Open(flags.Arg(0))
		if err != nil {
			return err
		}
		defer file.Close()
		input = file
	}
	client, err := sentiment.NewClient(*address, sentiment.WithAPIKey(os.Getenv("SENTIMENT_API_KEY")))
	if err != nil {
		return err
	}
	defer client.Close()

	analyze := client.AnalyzeAll
	if *mode == "stream" {
		analyze = client.AnalyzeStream
	}
	lines := &lines{from: bufio.NewReader(input)}
	if err := write(output, analyze(ctx, lines.all, sentiment.WithTier(asked))); err != nil {
		return err
	}
	return lines.err
}

// lines are the texts of a file, without the ends of lines, else as they are.
type lines struct {
	from *bufio.Reader
	// Why there are no more; nil at the end of the file.
	err error
}

func (l *lines) all(yield func(string) bool) {
	for {
		line, err := l.from.ReadString('\n')
		if line != "" && !yield(strings.TrimSuffix(line, "\n")) {
			return
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			l.err = err
			return
		}
	}
}

type answer struct {
	Index      int    `json:"index"`
	Label      string `json:"label"`
	Score      float  `json:"score"`
	Confidence float  `json:"confidence"`
	TokenCount uint32 `json:"token_count"`
}

// float is written with nine digits: as many as tell any two float32 apart.
type float float32

func (f float) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(f), 'g', 9, 64), nil
}

type refusal struct {
	Index int    `json:"index"`
	Error string `json:"error"`
}

func write(output io.Writer, results iter.Seq2[sentiment.Result, error]) error {
	encoder := json.NewEncoder(output)
	for result, err := range results {
		if err != nil {
			return err
		}
		if err := encoder.Encode(lineOf(result)); err != nil {
			return err
		}
	}
	return nil
}

func lineOf(result sentiment.Result) any {
	var own *sentiment.Error
	if !errors.As(result.Err, &own) {
		said := result.Sentiment
		return answer{result.Index, said.GetLabel().String(), float(said.GetScore()), float(said.GetConfidence()), said.GetTokenCount()}
	}
	if own.Reason == "" {
		return refusal{result.Index, own.Code.String()}
	}
	return refusal{result.Index, string(own.Reason)}
}
