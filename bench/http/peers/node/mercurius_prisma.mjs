// Fastify and Mercurius with JIT, on Prisma's client.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { port, schema } from './common.mjs'
import { resolvers, sources, tags } from './prisma.mjs'

const loaders = {
  Feedback: {
    source: (queries) => sources(queries.map(({ obj }) => obj.sourceId)),
    tags: (queries) => tags(queries.map(({ obj }) => obj.id))
  }
}

const app = Fastify()
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false })
await app.listen({ host: '127.0.0.1', port })
