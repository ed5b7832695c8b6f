// graphql-ws on ws: one Redis reader, an async iterator for each subscriber.
import { createServer } from 'node:http'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import { channel, port, redisUrl, schema as text } from './common.mjs'

const followers = new Map()

// What comes while nobody waits is kept in order; a waiting reader gets it at once.
class Follower {
  #waiting = []
  #kept = []

  constructor (topic) {
    this.topic = topic
    if (!followers.has(topic)) followers.set(topic, new Set())
    followers.get(topic).add(this)
  }

  push (value) {
    const resolve = this.#waiting.shift()
    if (resolve) resolve({ value, done: false })
    else this.#kept.push(value)
  }

  next () {
    if (this.#kept.length) return Promise.resolve({ value: this.#kept.shift(), done: false })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return () {
    followers.get(this.topic)?.delete(this)
    for (const resolve of this.#waiting.splice(0)) resolve({ value: undefined, done: true })
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator] () {
    return this
  }
}

const schema = buildSchema(text)
schema.getSubscriptionType().getFields().feedbackEvents.subscribe = (_, { workspaceId }) =>
  new Follower(`${channel}:${workspaceId}`)

const redis = new Redis(redisUrl)
redis.on('message', (topic, message) => {
  const event = { feedbackEvents: JSON.parse(message) }
  for (const follower of followers.get(topic) ?? []) follower.push(event)
})
await redis.subscribe(`${channel}:${process.env.WORKSPACE}`)

const server = createServer()
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }))
server.listen(port, '127.0.0.1', 4096)
