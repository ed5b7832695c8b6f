// What the two Prisma servers share: resolvers on Prisma's client, and set-based loads for relations.
import { PrismaPg } from '@prisma/adapter-pg'
import { GraphQLScalarType } from 'graphql'
import { COUNTS, Page, dashed, databaseUrl, days, newUuid, readCursor, stats, uuid, viewer, writeCursor } from './common.mjs'
import { PrismaClient } from './generated/client.ts'

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl, max: 10 }) })

const me = dashed(viewer)
const withId = (kind) => ({ id: (row) => `${kind}_${row.id.replaceAll('-', '')}` })
const newest = [{ occurredAt: 'desc' }, { id: 'desc' }]

// Everything behind a key, at once.
export async function sources (keys) {
  const rows = await prisma.source.findMany({ where: { id: { in: [...new Set(keys)] } } })
  const found = new Map(rows.map((row) => [row.id, row]))
  return keys.map((key) => found.get(key))
}

export async function tags (keys) {
  const links = await prisma.feedbackTag.findMany({
    where: { feedbackId: { in: keys } },
    include: { tag: true },
    orderBy: [{ tag: { name: 'asc' } }, { tagId: 'asc' }]
  })
  const found = new Map(keys.map((key) => [key, []]))
  for (const link of links) found.get(link.feedbackId).push(link.tag)
  return keys.map((key) => found.get(key))
}

export const resolvers = {
  DateTime: new GraphQLScalarType({
    name: 'DateTime', serialize: (value) => new Date(value).toISOString(), parseValue: (value) => new Date(value)
  }),
  JSON: new GraphQLScalarType({ name: 'JSON' }),
  Node: { resolveType: () => 'Feedback' },
  Problem: { resolveType: () => 'InvalidInput' },
  SubmitFeedbackResult: { resolveType: () => 'SubmitFeedbackSuccess' },
  Query: {
    node: (_, { id }) => prisma.feedback.findUnique({ where: { id: dashed(uuid(id)) } }),
    workspace: (_, { slug }) => prisma.workspace.findFirst({
      where: { slug, members: { some: { userId: me } } }
    }),
    viewer: () => ({})
  },
  Viewer: {
    user: () => prisma.user.findUnique({ where: { id: me } }),
    workspaces: () => prisma.workspace.findMany({
      where: { members: { some: { userId: me } } }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }]
    })
  },
  Workspace: {
    ...withId('workspace'),
    viewerRole: async ({ id }) => (await prisma.member.findUnique({
      where: { workspaceId_userId: { workspaceId: id, userId: me } }
    })).role,
    async feedback ({ id }, { first, after }) {
      const where = { workspaceId: id }
      if (after != null) {
        const [moment, key] = readCursor(after)
        where.occurredAt = { lte: moment }
        where.OR = [{ occurredAt: { lt: moment } }, { id: { lt: key } }]
      }
      const rows = await prisma.feedback.findMany({ where, orderBy: newest, take: first + 1 })
      return new Page(rows, first, after != null, (row) => writeCursor(row.occurredAt.toISOString(), row.id))
    },
    async stats ({ id }, { from, to }) {
      const starts = days(from, to)
      return stats(starts, await prisma.$queryRawUnsafe(COUNTS, id, from, to, starts))
    },
    sources: ({ id }) => prisma.source.findMany({
      where: { workspaceId: id }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }]
    }),
    tags: ({ id }) => prisma.tag.findMany({ where: { workspaceId: id }, orderBy: [{ name: 'asc' }, { id: 'asc' }] }),
    jobs: async ({ id }, { first }) => ({
      nodes: await prisma.job.findMany({
        where: { workspaceId: id }, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: first
      })
    })
  },
  Feedback: {
    ...withId('feedback'),
    author: ({ authorName: name, authorEmail: email, authorExternalId: externalId }) =>
      name === null && email === null && externalId === null ? null : { name, email, externalId },
    sentiment: (row) => row.sentimentLabel === null
      ? null
      : {
          label: row.sentimentLabel,
          score: row.sentimentScore,
          confidence: row.sentimentConfidence,
          model: row.sentimentModel
        }
  },
  Source: withId('source'),
  Tag: withId('tag'),
  User: withId('user'),
  Job: withId('job'),
  Mutation: {
    async submitFeedback (_, { input }) {
      const { workspaceId, sourceId, ...given } = input
      const feedback = await prisma.feedback.create({
        data: {
          ...given,
          id: dashed(newUuid()),
          workspaceId: dashed(uuid(workspaceId)),
          sourceId: dashed(uuid(sourceId)),
          receivedAt: new Date()
        }
      })
      return { duplicate: false, feedback }
    }
  }
}
