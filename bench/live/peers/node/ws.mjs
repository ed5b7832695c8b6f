// ws by itself, no GraphQL: the frame of an event is written once and sent to every socket.
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import { channel, port, redisUrl } from './common.mjs'

const server = createServer()
const sockets = new WebSocketServer({ server, path: '/graphql', handleProtocols: (asked) => [...asked][0] })

const redis = new Redis(redisUrl)
redis.on('messageBuffer', (_, message) => {
  const frame = Buffer.concat([Buffer.from(process.env.BEFORE), message, Buffer.from(process.env.BEHIND)])
  for (const socket of sockets.clients) socket.send(frame, { binary: false })
})
await redis.subscribe(`${channel}:${process.env.WORKSPACE}`)
server.listen(port, '127.0.0.1', 4096)
