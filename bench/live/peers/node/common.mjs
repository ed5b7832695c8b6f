// What the Node servers share: where they listen, what they subscribe to, and the schema.
import { readFileSync } from 'node:fs'
import { GraphQLScalarType } from 'graphql'

export const port = Number(process.env.PORT)
export const redisUrl = process.env.REDIS_URL
export const channel = process.env.CHANNEL
export const schema = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8')

// Times are texts in the event already.
export const DateTime = new GraphQLScalarType({
  name: 'DateTime', serialize: (value) => value, parseValue: (value) => value
})

process.on('SIGTERM', () => process.exit(0))
