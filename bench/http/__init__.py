"""GraphQL servers over HTTP, ours and others', on the same rows: what one request costs each."""
