// Fastify and Mercurius with its documented Redis emitter.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import mqemitter from 'mqemitter-redis'
import { DateTime, channel, port, redisUrl, schema } from './common.mjs'

const resolvers = {
  DateTime,
  Query: { ready: () => true },
  Subscription: {
    feedbackEvents: {
      subscribe: (_, { workspaceId }, { pubsub }) => pubsub.subscribe(`${channel}:${workspaceId}`)
    }
  }
}

const app = Fastify()
app.register(mercurius, {
  schema,
  resolvers,
  jit: 1,
  graphiql: false,
  subscription: { emitter: mqemitter({ connectionString: redisUrl }) }
})
await app.listen({ host: '127.0.0.1', port })
