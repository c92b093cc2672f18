// Package sentiment asks a Sentiment Analyzer Pro server whether English texts are negative, neutral or positive.
//
// [NewClient] makes a [Client]; [Client.Analyze] asks about one text, [Client.AnalyzeBatch] about up to 100, [Client.AnalyzeAll] and
// [Client.AnalyzeStream] about any number of them, in calls or in a stream that survive a server that is busy or restarts. Every error of a
// call is an [*Error].
package sentiment

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// Version is the client's own, and that of the server's package that it was made with. It is sent as the user agent.
const Version = "0.1.0"

// Client is one channel to a server, or to all servers behind a name. It may be used by any number of goroutines at once.
type Client struct {
	connection *grpc.ClientConn
	service    pb.SentimentServiceClient
	timeout    time.Duration
	// Done when the client is closed: what waits between two calls is under way for the caller, but not for gRPC.
	closed context.Context
	close  func() error
}

// NewClient makes a client of the server at a target of gRPC: "host:port", or "dns:///name:port", all of whose addresses are asked in
// turn. An empty address is that of the environment's SENTIMENT_ADDRESS, or else 127.0.0.1:50051.
//
// It connects with the first call, so that a server that is not there yet is no error here; options that cannot be used are.
func NewClient(address string, options ...Option) (*Client, error) {
	config, err := newConfig(options)
	if err != nil {
		return nil, fmt.Errorf("sentiment: %w", err)
	}
	dial, err := config.dialOptions()
	if err != nil {
		return nil, fmt.Errorf("sentiment: %w", err)
	}
	connection, err := grpc.NewClient(target(address), dial...)
	if err != nil {
		return nil, fmt.Errorf("sentiment: %w", err)
	}
	closed, end := context.WithCancel(context.Background())
	return &Client{
		connection: connection,
		service:    pb.NewSentimentServiceClient(connection),
		timeout:    config.timeout,
		closed:     closed,
		close:      sync.OnceValue(func() error { end(); return connection.Close() }),
	}, nil
}

// Close ends the calls that are under way, with [codes.Canceled], and all connections. Closing again does nothing.
func (c *Client) Close() error { return c.close() }

// Connection is the channel itself, for other services of the same server: AdminService, grpc.health.v1.
func (c *Client) Connection() *grpc.ClientConn { return c.connection }

// bounded gives a call the default deadline where its caller has set none.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, set := ctx.Deadline(); set {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}

func target(address string) string {
	if address != "" {
		return address
	}
	if address := os.Getenv("SENTIMENT_ADDRESS"); address != "" {
		return address
	}
	return "127.0.0.1:50051"
}
