// What the two servers share: a Standard Webhooks delivery is checked, read, and stored once, or refused.
import Fastify from 'fastify'
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

export const databaseUrl = process.env.DATABASE_URL
export const workspace = process.env.WORKSPACE
export const source = process.env.SOURCE

const key = Buffer.from(process.env.SECRET.slice('whsec_'.length), 'base64')
const TOLERANCE = 300
const LONGEST = 20_000

export const newId = () => {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

function verified (headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given } = headers
  if (!id || !timestamp || !given) return false
  const right = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const matches = given.split(' ').some((each) => {
    const [version, value] = each.split(',')
    const bytes = Buffer.from(value ?? '', 'base64')
    return version === 'v1' && bytes.length === right.length && timingSafeEqual(bytes, right)
  })
  return matches && Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE
}

// What is stored of a body, or null if it is no feedback.
function read (body) {
  let data
  try {
    data = JSON.parse(body).data
  } catch {
    return null
  }
  const fits = typeof data?.body === 'string' && data.body.trim() && data.body.length <= LONGEST
  if (!fits || !(data.rating == null || (Number.isInteger(data.rating) && data.rating >= 1 && data.rating <= 5))) {
    return null
  }
  const { name = null, email = null, external_id: externalId = null } = data.author ?? {}
  return {
    id: newId(),
    externalId: data.external_id ?? null,
    author: { name, email, externalId },
    body: data.body.trim(),
    rating: data.rating ?? null,
    metadata: data.metadata ?? null,
    occurredAt: data.occurred_at ?? new Date().toISOString()
  }
}

// `store(delivery id, draft)` resolves when it is committed: true, or false where it had been stored before.
export async function serve (store) {
  const app = Fastify({ logger: false })
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.post('/hooks/:source', async (request, reply) => {
    if (request.params.source !== `source_${source.replaceAll('-', '')}`) return reply.code(404).send({ error: 'unknown' })
    if (!verified(request.headers, request.body)) return reply.code(401).send({ error: 'bad signature' })
    const draft = read(request.body)
    if (draft === null) return reply.code(400).send({ error: 'not a feedback' })
    const added = await store(request.headers['webhook-id'], draft)
    return reply.code(added ? 202 : 200).send({ id: `feedback_${draft.id.replaceAll('-', '')}` })
  })
  await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
}
