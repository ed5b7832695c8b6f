"""The GraphQL edge: one module per feature, one schema, the HTTP and WebSocket transports, the live hub."""
