package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver/dns"
)

// UNAVAILABLE alone is retried, after the time that the server asks for; calls go to all addresses of the name in turn.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{"name": [{"service": "sentiment.v1.SentimentService"}], "retryPolicy": {"maxAttempts": 5,
    "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 3, "retryableStatusCodes": ["UNAVAILABLE"]}}]
}`

// Explanations of a batch of long texts are the largest answers.
const maxAnswerBytes = 64 << 20

// When a connection ends, the name is looked up again: containers come and go under one name. By default not before 30 seconds after the last time, and
// where all that were known then are gone, calls would fail for as long.
func init() { dns.SetMinResolutionInterval(time.Second) }

// dial does not wait for the server: calls before it is there fail with UNAVAILABLE.
func dial(config Config, log *slog.Logger) (*grpc.ClientConn, error) {
	secure, err := frontCredentials(config, log)
	if err != nil {
		return nil, err
	}
	front, err := grpc.NewClient(config.Front,
		grpc.WithTransportCredentials(secure),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDisableServiceConfig(),
		// What is larger than what gRPC keeps would not be tried again.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes), grpc.MaxRetryRPCBufferSize(int(config.MaxBody))),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	)
	if err != nil {
		return nil, fmt.Errorf("SENTIMENT_ADDRESS: %w", err)
	}
	return front, nil
}

func frontCredentials(config Config, log *slog.Logger) (credentials.TransportCredentials, error) {
	if config.FrontCA == "" {
		return insecure.NewCredentials(), nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if config.FrontCert != "" {
		pair, err := newKeyPair(config.FrontCert, config.FrontKey, log)
		if err != nil {
			return nil, fmt.Errorf("SENTIMENT_CERT, SENTIMENT_KEY: %w", err)
		}
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.current(), nil }
	}
	if config.FrontCA == "system" {
		return credentials.NewTLS(settings), nil
	}
	trusting := func() (credentials.TransportCredentials, error) {
		pem, err := os.ReadFile(config.FrontCA)
		if err != nil {
			return nil, err
		}
		trusting := settings.Clone()
		trusting.RootCAs = x509.NewCertPool()
		if !trusting.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM", config.FrontCA)
		}
		log.Info("CA of the server taken in", "file", config.FrontCA)
		return credentials.NewTLS(trusting), nil
	}
	reloaded, err := newReloaded(log, trusting, config.FrontCA)
	if err != nil {
		return nil, fmt.Errorf("SENTIMENT_CA: %w", err)
	}
	return reloadedCredentials{reloaded.current(), reloaded}, nil
}

// reloadedCredentials trust, in each handshake, the CAs that the file has then.
type reloadedCredentials struct {
	credentials.TransportCredentials
	reloaded *reloaded[credentials.TransportCredentials]
}

func (c reloadedCredentials) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return c.reloaded.current().ClientHandshake(ctx, authority, conn)
}

func (c reloadedCredentials) Clone() credentials.TransportCredentials { return c }
