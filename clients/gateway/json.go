package main

import (
	"errors"
	"io"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
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
		return fromJSON.Unmarshal(body, message)
	})
}
