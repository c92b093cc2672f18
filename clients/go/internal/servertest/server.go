// Package servertest starts real servers for tests: what `npm run build` has built.
package servertest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a server in a process of its own.
type Server struct {
	// Address is where it listens, as "127.0.0.1:21000".
	Address string
	process *exec.Cmd
	ended   chan struct{}
	once    sync.Once
}

// Start starts one with settings as "NAME=value", and waits until it listens; the test's end ends it. It has all models, loads them at
// first use, and fast is the default.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	server, err := Launch(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	return server
}

// Launch is Start where no test may be ended: in a goroutine. Its caller ends the server.
func Launch(settings ...string) (*Server, error) {
	process := exec.Command("node", "dist/server/main.js")
	process.Dir = Root()
	process.Env = append(os.Environ(), "GRPC_PORT=0", "HTTP_PORT=0", "PREFETCH_MODELS=false", "DEFAULT_TIER=fast")
	process.Env = append(process.Env, settings...)
	process.Stderr = os.Stderr
	log, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("%w: node must be found in PATH", err)
	}
	server := &Server{process: process, ended: make(chan struct{})}
	listens := make(chan string, 1)
	go func() {
		defer close(server.ended)
		server.read(log, listens)
		_ = process.Wait()
	}()
	select {
	case server.Address = <-listens:
		return server, nil
	case <-server.ended:
		return nil, fmt.Errorf("the server ended before it listened: is it built (npm run build)?")
	case <-time.After(time.Minute):
		server.Kill()
		return nil, fmt.Errorf("the server does not listen after a minute")
	}
}

// read takes the address from the log, and reads on so that the server can write.
func (s *Server) read(log io.Reader, listens chan<- string) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Address != "" {
			select {
			case listens <- line.Address:
			default:
			}
		}
	}
	_, _ = io.Copy(io.Discard, log)
}

// Kill ends it at once, and returns when it is gone.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Drain has it finish what it has, and returns when it is gone.
func (s *Server) Drain() { s.end(syscall.SIGTERM) }

func (s *Server) end(signal os.Signal) {
	s.once.Do(func() { _ = s.process.Process.Signal(signal) })
	<-s.ended
}

// Root is the folder of the repository.
func Root() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../../..")
}

// Port is a free port that no other program is given by chance, so that a server can come back to it.
func Port(t testing.TB) string {
	t.Helper()
	for range 100 {
		// Below the ports of outgoing connections.
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			_, port, _ := net.SplitHostPort(address)
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}
