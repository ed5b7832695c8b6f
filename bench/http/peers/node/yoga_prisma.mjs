// GraphQL Yoga on Prisma's client, with DataLoaders made for each request.
import { createServer } from 'node:http'
import DataLoader from 'dataloader'
import { createSchema, createYoga } from 'graphql-yoga'
import { port, schema } from './common.mjs'
import { resolvers, sources, tags } from './prisma.mjs'

const abstract = ['Node', 'Problem', 'SubmitFeedbackResult']

const yoga = createYoga({
  schema: createSchema({
    typeDefs: schema,
    resolvers: {
      ...resolvers,
      ...Object.fromEntries(abstract.map((name) => [name, { __resolveType: resolvers[name].resolveType }])),
      Feedback: {
        ...resolvers.Feedback,
        source: (row, _, context) => context.sources.load(row.sourceId),
        tags: (row, _, context) => context.tags.load(row.id)
      }
    }
  }),
  context: () => ({ sources: new DataLoader(sources), tags: new DataLoader(tags) }),
  graphiql: false,
  landingPage: false,
  logging: false
})

createServer(yoga).listen(port, '127.0.0.1')
