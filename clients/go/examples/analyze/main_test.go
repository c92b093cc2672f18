package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sentiment-analyzer-pro/clients/go/internal/servertest"
)

func TestALineATextInOrder(t *testing.T) {
	server := servertest.Start(t)
	file := filepath.Join(t.TempDir(), "texts")
	const texts = "I love this product!\n\nTerrible quality\ncaf\xe9\nno end of line"
	if err := os.WriteFile(file, []byte(texts), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arguments := range [][]string{{"--mode", "batch"}, {"--mode", "stream"}, {"--tier", "fast", file}} {
		var output bytes.Buffer
		input := strings.NewReader(texts)
		if err := run(t.Context(), append([]string{"--address", server.Address}, arguments...), input, &output); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		if len(lines) != 5 || lines[1] != `{"index":1,"error":"TEXT_EMPTY"}` || lines[3] != `{"index":3,"error":"TEXT_NOT_UTF8"}` {
			t.Fatal(lines)
		}
		for i, label := range map[int]string{0: "LABEL_POSITIVE", 2: "LABEL_NEGATIVE"} {
			var said struct {
				Index      int     `json:"index"`
				Label      string  `json:"label"`
				Score      float32 `json:"score"`
				Confidence float32 `json:"confidence"`
				TokenCount int     `json:"token_count"`
			}
			if err := json.Unmarshal([]byte(lines[i]), &said); err != nil {
				t.Fatal(lines[i], err)
			}
			if said.Index != i || said.Label != label || said.Score == 0 || said.Confidence < 0.34 || said.TokenCount < 2 {
				t.Error(lines[i])
			}
		}
	}
}

func TestNineDigitsTellAnyTwoFloatsApart(t *testing.T) {
	for value, want := range map[float]string{0.9876543: "0.987654328", 0.5: "0.5", -1: "-1", 0: "0", 1e-7: "1.00000001e-07"} {
		if got, _ := json.Marshal(value); string(got) != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestArgumentsThatMakeNoSense(t *testing.T) {
	for _, arguments := range [][]string{{"--tier", "best"}, {"--mode", "all"}, {"missing-file"}} {
		if err := run(t.Context(), arguments, strings.NewReader(""), new(bytes.Buffer)); err == nil {
			t.Error(arguments)
		}
	}
}
