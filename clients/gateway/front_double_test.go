package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// scripted is a server of gRPC that does what a text says.
type scripted struct {
	pb.UnimplementedSentimentServiceServer
	metadata chan metadata.MD
	deadline chan time.Duration
	calls    chan string
}

func (s *scripted) Analyze(ctx context.Context, request *pb.AnalyzeRequest) (*pb.AnalyzeResponse, error) {
	s.calls <- request.GetText()
	md, _ := metadata.FromIncomingContext(ctx)
	s.metadata <- md
	if deadline, ok := ctx.Deadline(); ok {
		s.deadline <- time.Until(deadline)
	}
	if strings.HasPrefix(request.GetText(), "flaky") && len(md.Get("grpc-previous-rpc-attempts")) == 0 {
		return nil, refusal(codes.Unavailable, "DRAINING", 0)
	}
	switch request.GetText() {
	case "wait":
		<-ctx.Done()
		return nil, ctx.Err()
	case "quota":
		return nil, refusal(codes.ResourceExhausted, "RATE_LIMITED", 1500*time.Millisecond)
	case "empty":
		return nil, refusal(codes.InvalidArgument, "TEXT_EMPTY", 0)
	case "no key":
		return nil, refusal(codes.Unauthenticated, "KEY_MISSING", 0)
	case "metadata":
		return nil, refusal(codes.ResourceExhausted, "METADATA_TOO_LARGE", 0)
	case "large":
		return nil, status.Error(codes.ResourceExhausted, "larger than max")
	case "panic":
		return nil, status.Error(codes.Internal, "panic")
	}
	return &pb.AnalyzeResponse{Sentiment: &pb.Sentiment{Label: pb.Label_LABEL_NEUTRAL, Model: request.GetText()}}, nil
}

func (s *scripted) AnalyzeStream(stream grpc.BidiStreamingServer[pb.AnalyzeStreamRequest, pb.AnalyzeStreamResponse]) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.calls <- request.GetText()
		switch request.GetText() {
		case "end":
			return refusal(codes.Unauthenticated, "KEY_UNKNOWN", 0)
		case "not taken":
			return status.Error(codes.ResourceExhausted, "no reader")
		case "flood":
			answer := &pb.AnalyzeStreamResponse{Outcome: &pb.AnalyzeStreamResponse_Sentiment{Sentiment: &pb.Sentiment{Model: strings.Repeat("a", 16<<10)}}}
			for stream.Context().Err() == nil {
				s.calls <- "answer"
				if stream.Send(answer) != nil {
					return nil
				}
			}
			return nil
		}
		answer := &pb.AnalyzeStreamResponse{Id: request.GetId(), Outcome: &pb.AnalyzeStreamResponse_Sentiment{Sentiment: &pb.Sentiment{}}}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func refusal(code codes.Code, reason string, retryAfter time.Duration) error {
	said, _ := status.New(code, "refused").WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: domain})
	if retryAfter > 0 {
		said, _ = said.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	}
	return said.Err()
}

// bridge is a Gateway with an HTTP server before it and the scripted server behind it.
type bridge struct {
	*Gateway
	client http.RoundTripper
	url    string
	front  *scripted
	health *health.Server
	stop   func()
}

func startBridge(t *testing.T, settings map[string]string) *bridge {
	t.Helper()
	return startBridgeAs(t, settings, func(server *httptest.Server) { server.Start() })
}

func startBridgeAs(t *testing.T, settings map[string]string, start func(*httptest.Server)) *bridge {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := &scripted{metadata: make(chan metadata.MD, 1000), deadline: make(chan time.Duration, 1000), calls: make(chan string, 100_000)}
	healthServer := health.NewServer()
	server := grpc.NewServer()
	pb.RegisterSentimentServiceServer(server, front)
	healthpb.RegisterHealthServer(server, healthServer)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	log := slog.New(slog.DiscardHandler)
	config, err := loadConfig(func(name string) string {
		if name == "SENTIMENT_ADDRESS" {
			return listener.Addr().String()
		}
		return settings[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	connection, err := dial(config, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	gateway, err := newGateway(config, connection, log)
	if err != nil {
		t.Fatal(err)
	}
	served, err := newServer(config, gateway, log)
	if err != nil {
		t.Fatal(err)
	}
	outside := httptest.NewUnstartedServer(nil)
	outside.Config = served
	start(outside)
	t.Cleanup(outside.Close)
	return &bridge{Gateway: gateway, client: outside.Client().Transport, url: outside.URL, front: front, health: healthServer, stop: server.Stop}
}
