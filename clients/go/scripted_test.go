package sentiment_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// scripted is a server of gRPC for what the real one does not do on demand. Each call, and each text of a stream, is first put to a test's
// own function, with the number of times that it was asked.
type scripted struct {
	pb.UnimplementedSentimentServiceServer
	// Of a call; nil: answered.
	refuseCall func(ctx context.Context, call int, texts []string) error
	// Of one text of a batch or stream; nil: answered.
	refuseText func(text string, times int) *spb.Status
	// Of a stream, when this text comes: it ends so. io.EOF: in good order.
	breakStream func(text string, times int) error

	mutex    sync.Mutex
	calls    [][]string
	at       []time.Time
	asked    map[string]int
	metadata metadata.MD
	deadline time.Duration
	underWay atomic.Int64
	most     atomic.Int64
	ended    chan struct{}
}

func script(t *testing.T, s *scripted, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.asked, s.ended = map[string]int{}, make(chan struct{}, 1000)
	server := grpc.NewServer(options...)
	pb.RegisterSentimentServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// enter notes a call, and counts those that are under way.
func (s *scripted) enter(ctx context.Context, texts ...string) (number int, leave func()) {
	now := s.underWay.Add(1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls, s.at = append(s.calls, texts), append(s.at, time.Now())
	s.metadata, _ = metadata.FromIncomingContext(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		s.deadline = time.Until(deadline)
	}
	return len(s.calls), func() { s.underWay.Add(-1); s.ended <- struct{}{} }
}

func (s *scripted) times(text string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.asked[text]++
	return s.asked[text]
}

func (s *scripted) refusal(text string, times int) *spb.Status {
	if s.refuseText == nil {
		return nil
	}
	return s.refuseText(text, times)
}

// said is what was asked so far.
func (s *scripted) said() (calls [][]string, at []time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.calls, s.at
}

func (s *scripted) Analyze(ctx context.Context, request *pb.AnalyzeRequest) (*pb.AnalyzeResponse, error) {
	number, leave := s.enter(ctx, request.GetText())
	defer leave()
	if s.refuseCall != nil {
		if err := s.refuseCall(ctx, number, []string{request.GetText()}); err != nil {
			return nil, err
		}
	}
	return &pb.AnalyzeResponse{Sentiment: fine}, nil
}

func (s *scripted) AnalyzeBatch(ctx context.Context, request *pb.AnalyzeBatchRequest) (*pb.AnalyzeBatchResponse, error) {
	number, leave := s.enter(ctx, request.GetTexts()...)
	defer leave()
	if s.refuseCall != nil {
		if err := s.refuseCall(ctx, number, request.GetTexts()); err != nil {
			return nil, err
		}
	}
	answer := new(pb.AnalyzeBatchResponse)
	for i, text := range request.GetTexts() {
		result := &pb.AnalyzeResult{Index: uint32(i), Outcome: &pb.AnalyzeResult_Sentiment{Sentiment: fine}}
		if said := s.refusal(text, s.times(text)); said != nil {
			result.Outcome = &pb.AnalyzeResult_Error{Error: said}
		}
		answer.Results = append(answer.Results, result)
	}
	return answer, nil
}

func (s *scripted) AnalyzeStream(stream grpc.BidiStreamingServer[pb.AnalyzeStreamRequest, pb.AnalyzeStreamResponse]) error {
	number, leave := s.enter(stream.Context())
	defer leave()
	if s.refuseCall != nil {
		if err := s.refuseCall(stream.Context(), number, nil); err != nil {
			return err
		}
	}
	for {
		request, err := stream.Recv()
		if err != nil {
			// io.EOF is the client's good end.
			return endOf(err)
		}
		times := s.times(request.GetText())
		if s.breakStream != nil {
			if err := s.breakStream(request.GetText(), times); err != nil {
				return endOf(err)
			}
		}
		answer := &pb.AnalyzeStreamResponse{Id: request.GetId(), Outcome: &pb.AnalyzeStreamResponse_Sentiment{Sentiment: fine}}
		if said := s.refusal(request.GetText(), times); said != nil {
			answer.Outcome = &pb.AnalyzeStreamResponse_Error{Error: said}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

var fine = &pb.Sentiment{Label: pb.Label_LABEL_NEUTRAL}

// refusal is an error as the server makes them. retryAfter 0: it names no time.
func refusal(code codes.Code, reason string, retryAfter time.Duration) *status.Status {
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: "sentiment.v1"}}
	if retryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	}
	said, err := status.New(code, "refused").WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return said
}

func endOf(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
