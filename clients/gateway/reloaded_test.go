package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
)

// writePair writes a certificate with this serial number, signed by itself, as of this time.
func writePair(t *testing.T, certFile, keyFile string, serial int64, changed time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"front"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeAt(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), changed)
	writeAt(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), changed)
}

func writeAt(t *testing.T, file string, content []byte, changed time.Time) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, changed, changed); err != nil {
		t.Fatal(err)
	}
}

func TestCertificatesAreTakenInAnew(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	now := time.Now()
	writePair(t, cert, key, 1, now)
	pair, err := newKeyPair(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serves := func(serial int64) {
		t.Helper()
		if got := pair.current().Leaf.SerialNumber.Int64(); got != serial {
			t.Errorf("certificate %d, not %d", got, serial)
		}
	}
	serves(1)
	writePair(t, cert, key, 2, now.Add(time.Second))
	serves(2)
	writeAt(t, key, []byte("half"), now.Add(2*time.Second))
	serves(2)
	writePair(t, cert, key, 3, now.Add(3*time.Second))
	serves(3)
}

// handshake connects to a server that shows this certificate.
func handshake(t *testing.T, creds credentials.TransportCredentials, certFile, keyFile string) error {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _, err = creds.Clone().ClientHandshake(t.Context(), "front", conn)
	return err
}

func TestTheServersCAIsTakenInAnew(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	now := time.Now()
	writePair(t, file("first.pem"), file("first.key"), 1, now)
	writePair(t, file("second.pem"), file("second.key"), 2, now)
	trust := func(cert string, changed time.Time) {
		t.Helper()
		content, err := os.ReadFile(file(cert))
		if err != nil {
			t.Fatal(err)
		}
		writeAt(t, file("ca.pem"), content, changed)
	}
	trust("first.pem", now)
	creds, err := frontCredentials(Config{FrontCA: file("ca.pem")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	trusts := func(name string, wanted bool) {
		t.Helper()
		if err := handshake(t, creds, file(name+".pem"), file(name+".key")); (err == nil) != wanted {
			t.Errorf("%s trusted: %v, not %v: %v", name, err == nil, wanted, err)
		}
	}
	trusts("first", true)
	trusts("second", false)
	trust("second.pem", now.Add(time.Second))
	trusts("second", true)
	trusts("first", false)
	writeAt(t, file("ca.pem"), []byte("half"), now.Add(2*time.Second))
	trusts("second", true)
}
