package main

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// proto3 JSON; fields that have their default are sent too, so that a score of 0 is there.
var (
	toJSON   = protojson.MarshalOptions{EmitDefaultValues: true}
	fromJSON = protojson.UnmarshalOptions{}
)

// strictJSON takes a body as one message: an unknown field, or anything behind it, is an error, where grpc-gateway's own passes it over.
type strictJSON struct{ runtime.JSONPb }

func newStrictJSON() *strictJSON {
	return &strictJSON{runtime.JSONPb{MarshalOptions: toJSON, UnmarshalOptions: fromJSON}}
}

func (s *strictJSON) NewDecoder(from io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(into any) error {
		message, ok := into.(proto.Message)
		if !ok {
			return errors.New("no message")
		}
		body, err := io.ReadAll(from)
		if err != nil {
			return err
		}
		return readJSON(body, message)
	})
}

// As protojson begins its errors; the space is one that does not break now and then, so that nobody relies on it.
var protoPrefix = regexp.MustCompile(`^proto:[\s\x{a0}]*`)
var enumField = regexp.MustCompile(`invalid value for enum field (\w+):`)

// readJSON says of what it cannot read where that is, and of a word that is none of an enum which words are.
func readJSON(body []byte, into proto.Message) error {
	err := fromJSON.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	fault := "The JSON cannot be read: " + protoPrefix.ReplaceAllString(err.Error(), "")
	if found := enumField.FindStringSubmatch(fault); found != nil {
		if words := enumWords(into.ProtoReflect().Descriptor(), found[1]); len(words) > 0 {
			fault += ": use " + strings.Join(words, ", ")
		}
	}
	return errors.New(fault)
}

// enumWords is what the field of that name may say, wherever in the message it is.
func enumWords(message protoreflect.MessageDescriptor, name string) []string {
	var words []string
	fields := message.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if values := field.Enum(); values != nil && (string(field.Name()) == name || field.JSONName() == name) {
			// The first is the one that says nothing.
			for j := 1; j < values.Values().Len(); j++ {
				words = append(words, string(values.Values().Get(j).Name()))
			}
			return words
		}
		if inner := field.Message(); inner != nil && words == nil {
			words = enumWords(inner, name)
		}
	}
	return words
}
