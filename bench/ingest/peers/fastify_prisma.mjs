// Fastify and Prisma: the three rows in one transaction, as its documentation writes them.
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../http/peers/node/generated/client.ts'
import { databaseUrl, serve, source, workspace } from './standard.mjs'

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl, max: 10 }) })
const UNIQUE_VIOLATION = 'P2002'

await serve(async (webhook, draft) => {
  const { id, externalId, author, body, rating, metadata, occurredAt } = draft
  const receivedAt = new Date()
  try {
    await prisma.$transaction([
      prisma.feedback.create({
        data: {
          id, workspaceId: workspace, sourceId: source, externalId, authorName: author.name, authorEmail: author.email,
          authorExternalId: author.externalId, body, rating, metadata: metadata ?? undefined,
          occurredAt: new Date(occurredAt), receivedAt
        }
      }),
      prisma.delivery.create({ data: { sourceId: source, webhookId: webhook, workspaceId: workspace, receivedAt } }),
      prisma.outboxEvent.create({
        data: { workspaceId: workspace, kind: 'feedback.added', payload: { type: 'ADDED', id, source } }
      })
    ])
    return true
  } catch (error) {
    if (error.code === UNIQUE_VIOLATION) return false
    throw error
  }
})
