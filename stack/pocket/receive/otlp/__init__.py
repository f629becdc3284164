"""OTLP: protobuf or JSON over HTTP, and gRPC, decoded to rows."""
