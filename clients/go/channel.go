package sentiment

import (
	"context"
	"time"

	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// UNAVAILABLE alone is retried, after the time that the server asks for; calls go to all addresses of the name in turn.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{"name": [{"service": "sentiment.v1.SentimentService"}], "retryPolicy": {"maxAttempts": 5,
    "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 3, "retryableStatusCodes": ["UNAVAILABLE"]}}]
}`

const (
	// Explanations of a batch of long texts are the largest answers.
	maxAnswerBytes = 64 << 20
	// What is larger than what gRPC keeps would not be tried again; the server takes no message over about 4 MB.
	keptForRetryBytes = 8 << 20
)

// A server that restarts is back in seconds: gRPC's own two minutes between two tries to connect are too long.
var reconnect = grpc.ConnectParams{
	Backoff:           grpcbackoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 20 * time.Second,
}

func (c *config) dialOptions() ([]grpc.DialOption, error) {
	transport, err := c.tls.credentials()
	if err != nil {
		return nil, err
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes), grpc.MaxRetryRPCBufferSize(keptForRetryBytes)),
		// Only while calls are under way: an idle connection costs nobody a ping.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(reconnect),
		grpc.WithUserAgent("sentiment-go/" + Version),
	}
	if c.apiKey != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(c.apiKey)))
	}
	return append(options, c.dial...), nil
}

// bearer is a key as gRPC sends it.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity: a server on this machine, or behind a proxy that encrypts, has no TLS of its own.
func (bearer) RequireTransportSecurity() bool { return false }
