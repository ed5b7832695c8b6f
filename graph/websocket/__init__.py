"""GraphQL over WebSocket: the graphql-transport-ws protocol, and no other."""

from graph.websocket.endpoint import PROTOCOL, GraphQLOverWebSocket

__all__ = ["PROTOCOL", "GraphQLOverWebSocket"]
